"""Callbacks of messages: order, signatures, retries, and the four endings that change them."""

import itertools
import re
from datetime import datetime
from pathlib import Path

import pytest
from plivo.utils import validate_signature, validate_v3_signature

from .support import AUTH_TOKEN, Api, Product, Received, number, sandbox_on


def is_genuine(request: Received) -> bool:
    """Whether the signatures of both versions are valid."""
    heads, url = request.headers, request.url
    v3 = validate_v3_signature(
        request.method,
        url,
        heads["x-plivo-signature-v3-nonce"],
        AUTH_TOKEN,
        heads["x-plivo-signature-v3"],
        dict(request.params) if request.method == "POST" else {},
    )
    v2 = validate_signature(
        url, heads["x-plivo-signature-v2-nonce"], heads["x-plivo-signature-v2"], AUTH_TOKEN
    )
    return bool(v3 and v2)


def test_a_delivered_message_sends_three_genuine_callbacks(
    api: Api, product: Product, path: str
) -> None:
    api.all_callbacks(api.send(number("5555"), url=product.url(path)))
    assert product.values(path, "Status") == ["queued", "sent", "delivered"]
    assert product.values(path, "Sequence") == ["1", "2", "3"]
    assert all(is_genuine(request) for request in product.at(path))


def test_a_callback_is_a_form_with_plivos_fields(api: Api, product: Product, path: str) -> None:
    to = number("5555")
    uuid = api.send(f"+{to}", url=product.url(path))
    api.all_callbacks(uuid)
    queued, _, delivered = product.at(path)
    assert queued.headers["content-type"] == "application/x-www-form-urlencoded"
    assert queued.params["MessageUUID"] == queued.params["ParentMessageUUID"] == uuid
    assert queued.params["To"] == to
    assert queued.params["TotalAmount"] == "0.00000"
    assert not {"SentTime", "MCC", "ErrorCode"} & set(queued.params)
    assert delivered.params["TotalAmount"] == "0.00770"
    assert (delivered.params["MCC"], delivered.params["MNC"]) == ("311", "480")
    assert "ErrorCode" not in delivered.params
    times = [delivered.params[f"{name}Time"] for name in ("Queued", "Sent", "DeliveryReport")]
    assert times == sorted(times)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", time) for time in times)


def test_a_failed_message_sends_two_callbacks_with_its_error(
    api: Api, product: Product, path: str
) -> None:
    api.all_callbacks(api.send(number("0900"), url=product.url(path)))
    assert product.values(path, "Status") == ["queued", "failed"]
    assert product.at(path)[1].params["ErrorCode"] == "900"


def test_an_undelivered_message_was_sent_first(api: Api, product: Product, path: str) -> None:
    api.all_callbacks(api.send(number("0030"), url=product.url(path)))
    assert product.values(path, "Status") == ["queued", "sent", "undelivered"]
    assert product.at(path)[2].params["ErrorCode"] == "30"


def test_a_callback_by_get_carries_its_form_in_the_query(
    api: Api, product: Product, path: str
) -> None:
    url = product.url(path) + "?mine=1"
    api.all_callbacks(api.send(number("5555"), url=url, method="GET"))
    assert [request.method for request in product.at(path)] == ["GET"] * 3
    assert product.values(path, "mine") == ["1"] * 3
    assert product.values(path, "Status") == ["queued", "sent", "delivered"]
    assert all(is_genuine(request) for request in product.at(path))


def test_doubled_callbacks_come_twice(api: Api, product: Product, path: str) -> None:
    api.all_callbacks(api.send(number("0801"), url=product.url(path)))
    assert product.values(path, "Sequence") == ["1", "1", "2", "2", "3", "3"]


def test_callbacks_out_of_order_begin_with_the_last(api: Api, product: Product, path: str) -> None:
    api.all_callbacks(api.send(number("0802"), url=product.url(path)))
    assert product.values(path, "Status") == ["delivered", "queued", "sent"]


def test_a_forged_callback_is_sent_before_the_last_genuine_callback(
    api: Api, product: Product, path: str
) -> None:
    api.all_callbacks(api.send(number("0803"), url=product.url(path)))
    received = [(request.params["Status"], is_genuine(request)) for request in product.at(path)]
    assert received == [("queued", True), ("sent", True), ("failed", False), ("delivered", True)]


def test_lost_callbacks_never_arrive_but_the_message_does(
    api: Api, product: Product, path: str
) -> None:
    to = number("0804")
    uuid = api.send(to, url=product.url(path))
    assert api.settled(uuid)["message_state"] == "delivered"
    assert len(api.phone(to).texts) == 1
    assert [callback["state"] for callback in api.finished_callbacks(uuid)] == ["lost"] * 3
    assert product.at(path) == []


def test_a_refused_callback_is_tried_again_after_60_120_and_240_seconds(
    api: Api, product: Product, path: str
) -> None:
    product.statuses[path] = [503, 500, 404]
    uuid = api.send(number("5555"), url=product.url(path))
    api.all_callbacks(uuid)
    queued = next(c for c in api.callbacks(uuid) if c["form"]["Status"] == "queued")
    # All three callbacks share the path; each refused one is sent again.
    attempts = [a for c in api.callbacks(uuid) for a in c["attempts"]]
    assert sorted(a["status"] for a in attempts) == [200, 200, 200, 404, 500, 503]
    assert queued["state"] == "delivered"
    assert all(is_genuine(request) for request in product.at(path))


def test_an_undeliverable_callback_is_given_up_after_three_retries(tmp_path: Path) -> None:
    # At speed 400 the retries come after 0.15, 0.3 and 0.6 s.
    with sandbox_on(tmp_path, speed=400) as api:
        uuid = api.send(number("0900"), url="http://127.0.0.1:9/unreachable")
        queued = api.all_callbacks(uuid)[0]
    assert queued["state"] == "given up"
    assert {attempt["problem"] for attempt in queued["attempts"]} == {"ConnectError"}
    times = [datetime.fromisoformat(attempt["at"]) for attempt in queued["attempts"]]
    gaps = [(later - earlier).total_seconds() * 400 for earlier, later in itertools.pairwise(times)]
    assert len(gaps) == 3
    assert all(gap >= delay for gap, delay in zip(gaps, (60, 120, 240), strict=True))


@pytest.mark.parametrize(("family", "other"), [("v2", "v3"), ("v3", "v2")])
def test_one_signature_version_can_be_switched_off(
    tmp_path: Path, product: Product, path: str, family: str, other: str
) -> None:
    with sandbox_on(tmp_path, signatures=family) as api:
        api.all_callbacks(api.send(number("0900"), url=product.url(path)))
    headers = product.at(path)[0].headers
    assert f"x-plivo-signature-{family}" in headers
    assert f"x-plivo-signature-ma-{family}" in headers
    assert not any(name.startswith(f"x-plivo-signature-{other}") for name in headers)


def test_the_callback_log_needs_credentials(api: Api) -> None:
    assert api.http.get("/v1/sandbox/callbacks", auth=("x", "y")).status_code == 401
