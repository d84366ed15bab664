"""Requests of other programs: as Plivo's SDKs send them, and to what is not simulated.

The requests of the SDKs for Go, PHP, Java, Ruby and .NET are copied from their sources; those for
Python and Node run themselves (test_sdk.py, test_node_sdk.py).
"""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from core.sandbox.api.not_simulated import not_simulated
from core.sandbox.app import Sandbox

from .support import AUTH_ID, AUTH_TOKEN, SENDER, Api, Product, number, wait_for

ACCOUNT = f"/v1/Account/{AUTH_ID}"
MESSAGE = {"src": SENDER, "dst": "{to}", "text": "hello"}
CALL = {"from": SENDER, "to": "{to}", "answer_url": "http://127.0.0.1:9/"}
PHLO = {"from": SENDER, "to": "{to}", "otp": "4711", "mode": "sms"}

REQUESTS: list[tuple[str, str, str, dict[str, str] | str, int]] = [
    # Go encodes the body with a newline, and sends "null" or nothing without parameters.
    ("go", "POST", f"{ACCOUNT}/Message/", MESSAGE, 202),
    ("go", "GET", f"{ACCOUNT}/Message/?limit=5", "", 200),
    ("go", "GET", f"{ACCOUNT}/", "", 200),
    ("go", "GET", f"{ACCOUNT}/Pricing/?country_iso=US", "", 200),
    ("go", "GET", f"{ACCOUNT}/Call/?status=live&call_direction=outbound", "", 200),
    ("go", "GET", f"{ACCOUNT}/Call/?status=queued", "", 200),
    ("go", "DELETE", f"{ACCOUNT}/Request/unknown/", "", 404),
    ("go", "GET", "/v1/phlo/some-phlo", "", 200),
    ("go", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo/", PHLO, 201),
    ("go", "GET", "/v1/Number/14155550123?type=carrier", "", 200),
    # PHP sends an empty object where it has no parameters.
    ("php", "POST", f"{ACCOUNT}/Message/", MESSAGE, 202),
    ("php", "GET", "/v1/phlo/some-phlo", "", 200),
    ("php", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo", PHLO, 201),
    ("php", "DELETE", f"{ACCOUNT}/Call/unknown/", "{}", 404),
    ("php", "GET", "/v1/Number/+14155550123?type=carrier", "", 200),
    ("java", "POST", f"{ACCOUNT}/Call/", CALL, 201),
    ("java", "GET", "/v1/phlo/some-phlo", "", 200),
    ("java", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo", PHLO, 201),
    ("java", "DELETE", f"{ACCOUNT}/Call/x/Stream/y", "", 501),
    ("ruby", "POST", f"{ACCOUNT}/Call/", CALL, 201),
    ("ruby", "GET", f"{ACCOUNT}/Call/?status=live", "", 200),
    ("ruby", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo/", PHLO, 201),
    # .NET sends the parameters of a PHLO in the query too.
    ("dotnet", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo?otp=4711&mode=sms", PHLO, 201),
    ("dotnet", "GET", "/v1/phlo/some-phlo", "", 200),
    # Node adds a slash to the path of the account, and leaves it out for a live call.
    ("node", "GET", f"{ACCOUNT}//", "", 200),
    ("node", "POST", f"/v1/account/{AUTH_ID}/phlo/some-phlo", PHLO, 201),
    ("node", "GET", f"{ACCOUNT}/Call/unknown?status=live", "", 404),
    ("anyone", "POST", f"{ACCOUNT}/Message", MESSAGE, 202),
    ("anyone", "POST", f"{ACCOUNT}/Call", CALL, 201),
    ("anyone", "GET", f"{ACCOUNT}", "", 200),
]


@pytest.mark.parametrize(
    ("sdk", "method", "path", "body", "status"),
    REQUESTS,
    ids=[f"{sdk} {method} {path}" for sdk, method, path, _, _ in REQUESTS],
)
def test_the_requests_of_the_sdks_are_answered_without_a_redirect(
    api: Api, sdk: str, method: str, path: str, body: dict[str, str] | str, status: int
) -> None:
    text = body if isinstance(body, str) else json.dumps(body).replace("{to}", number("5555"))
    headers = {"Content-Type": "application/json"}
    answer = api.http.request(
        method, path, content=text + ("\n" if sdk == "go" and text else ""), headers=headers
    )
    assert answer.status_code == status, answer.text
    assert "api_id" in answer.json()


def test_every_path_is_served_with_and_without_its_final_slash(tmp_path: Path) -> None:
    sandbox = Sandbox(data=tmp_path, auth_id=AUTH_ID, auth_token=AUTH_TOKEN)
    for route in sandbox.asgi.routes:
        assert isinstance(route, Route) or route.path.endswith("/events")  # type: ignore[attr-defined]
        for end in ("", "/", "//"):
            path = route.path.rstrip("/") + end  # type: ignore[attr-defined]
            assert route.path_regex.match(path), path  # type: ignore[attr-defined]


def _request(api: Api, method: str, path: str, **options: Any) -> Any:
    return api.http.request(method, path.replace("{auth_id}", AUTH_ID), **options)


def test_what_plivo_has_and_the_sandbox_has_not_is_501_by_name(api: Api) -> None:
    for path, methods in not_simulated():
        for method in methods:
            answer = _request(api, method, path)
            name = path.removeprefix("/v1/").replace("Account/{auth_id}/", "", 1) or "Account/"
            sentence = f"{method} {name} is not simulated by the sandbox"
            assert (answer.status_code, answer.json()["error"]) == (501, sentence)
    assert _request(api, "GET", ACCOUNT + "/Powerpack", auth=None).status_code == 401
    assert _request(api, "PUT", ACCOUNT + "/Powerpack").status_code == 405
    for unknown in ("/Powerpacks/", "/Powerpack/x/y/", "/Call/x/Sing/", "/Verify/"):
        assert _request(api, "GET", ACCOUNT + unknown).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/Message/", {**MESSAGE, "type": "mms"}),
        ("/Message/", {**MESSAGE, "type": "whatsapp"}),
        ("/Message/", {"powerpack_uuid": "x", "dst": SENDER, "text": "hello"}),
        ("/Call/", {**CALL, "callback_url": "http://127.0.0.1:9/"}),
    ],
)
def test_a_parameter_that_is_not_simulated_is_501_by_name(
    api: Api, path: str, body: dict[str, str]
) -> None:
    answer = api.post(path, **body)
    assert answer.status_code == 501
    assert "is not simulated" in answer.json()["error"]


@pytest.mark.parametrize("rings", [True, False])
def test_a_request_is_canceled_while_its_call_is_queued_or_rings(
    api: Api, product: Product, path: str, rings: bool
) -> None:
    to = number("5555")
    uuid = api.call(to, "http://127.0.0.1:9/", hangup_url=product.url(path))
    if rings:
        wait_for(lambda: api.phone(to).call)
    answer = api.http.delete(f"{ACCOUNT}/Request/{uuid}/")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"content-type", "content-length"} & set(answer.headers)
    record = api.hung_up(uuid)
    assert (record["hangup_cause_code"], record["hangup_source"]) == (1000, "API Request")
    assert record["hangup_cause_name"] == "Canceled"
    api.finished_callbacks(uuid)
    assert product.values(path, "CallStatus") == ["cancel"]
    again = api.http.delete(f"{ACCOUNT}/Request/{uuid}/")
    assert (again.status_code, again.json()["error"]) == (404, "request not found")


def test_an_answered_call_is_not_canceled_but_hung_up(
    api: Api, product: Product, path: str
) -> None:
    product.documents[path] = "<Response><Wait length='3600'/></Response>"
    to = number("5555")
    uuid = api.call(to, product.url(path))
    api.phone(to).answer()
    assert api.http.delete(f"{ACCOUNT}/Request/{uuid}/").status_code == 404
    answer = api.http.delete(f"{ACCOUNT}/Call/{uuid}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert not {"content-type", "content-length"} & set(answer.headers)


def test_all_calls_are_hung_up_at_once(
    started: Any,
) -> None:
    api, _ = started()
    uuids = [api.call(number("5555"), "http://127.0.0.1:9/") for _ in range(3)]
    assert api.http.delete(f"{ACCOUNT}/Call/").status_code == 204
    assert {api.hung_up(uuid)["hangup_cause_code"] for uuid in uuids} == {1000}


def test_a_page_of_another_site_changes_nothing(api: Api) -> None:
    for origin, status in (("http://evil.example", 403), ("null", 403), (api.base, 201)):
        answer = api.http.post("/numbers", content=b"{}", headers={"Origin": origin})
        assert answer.status_code == status
    assert api.http.get("/endings", headers={"Origin": "http://evil.example"}).status_code == 200
