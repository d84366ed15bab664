"""The real Plivo SDK against the sandbox."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import plivo
import pytest
import requests
from requests.adapters import HTTPAdapter

from .support import AUTH_ID, AUTH_TOKEN, SENDER, Api, Product, number, wait_for


class ToSandbox(HTTPAdapter):
    """Redirects requests to Plivo's hosts to the sandbox."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self._base = base + "/sandbox"

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> Any:
        parts = urlsplit(str(request.url))
        query = f"?{parts.query}" if parts.query else ""
        request.url = self._base + parts.path + query
        return super().send(request, *args, **more)


@pytest.fixture(scope="module")
def client(api: Api) -> Iterator[Any]:
    with plivo.RestClient(AUTH_ID, AUTH_TOKEN) as client:
        client.session.mount("https://", ToSandbox(api.base))
        yield client


def test_the_sdk_sends_reads_and_lists_messages(api: Api, client: Any) -> None:
    to = number("5555")
    sent = client.messages.create(src=SENDER, dst=to, text="hello", log="false")
    (uuid,) = sent.message_uuid
    api.settled(uuid)
    assert client.messages.get(uuid).message_state == "delivered"
    listed = client.messages.list(limit=20)
    assert uuid in [message.message_uuid for message in listed]


def test_the_sdk_calls_reads_lists_and_hangs_up(api: Api, client: Any, product: Product) -> None:
    to = number("5555")
    call = client.calls.create(from_=SENDER, to_=to, answer_url=product.url("never"))
    wait_for(lambda: api.phone(to).call)
    assert client.live_calls.get(call.request_uuid).call_status == "ringing"
    assert call.request_uuid in client.live_calls.list_ids().calls
    client.calls.delete(call.request_uuid)
    assert client.calls.get(call.request_uuid).hangup_cause_code == 1000
    assert call.request_uuid in [record.call_uuid for record in client.calls.list()]


def test_the_sdk_runs_a_phlo(api: Api) -> None:
    client = plivo.phlo.RestClient(AUTH_ID, AUTH_TOKEN)
    client.session.mount("https://", ToSandbox(api.base))
    to = number("5555")
    phlo = client.phlo.get("some-phlo")
    answer = phlo.run(**{"from": SENDER, "to": to, "otp": "4711", "mode": "sms"})
    assert "'message_uuid': ['" in answer.message
    wait_for(lambda: api.phone(to).texts)
    client.session.close()


def test_the_sdk_reads_account_prices_and_numbers(client: Any) -> None:
    assert client.account.get().auth_id == AUTH_ID
    assert client.pricing.get("DE").country_iso == "DE"
    assert client.lookup.get("+14155550123").country["iso2"] == "US"


@pytest.mark.parametrize(
    ("suffix", "error"),
    [
        ("0402", plivo.exceptions.PlivoRestError),
        ("0403", plivo.exceptions.GeoPermissionError),
        ("0429", plivo.exceptions.PlivoRestError),
        ("0500", plivo.exceptions.PlivoServerError),
        ("0503", plivo.exceptions.PlivoRestError),
        ("0408", requests.exceptions.ReadTimeout),
    ],
)
def test_the_sdk_raises_the_same_errors_as_for_plivo(
    api: Api, suffix: str, error: type[Exception]
) -> None:
    with plivo.RestClient(AUTH_ID, AUTH_TOKEN, timeout=0.5) as client:
        client.session.mount("https://", ToSandbox(api.base))
        with pytest.raises(error):
            client.messages.create(src=SENDER, dst=number(suffix), text="hello")


def test_the_sdk_names_wrong_credentials_wrong_values_and_unknown_messages(
    api: Api, client: Any
) -> None:
    with plivo.RestClient(AUTH_ID, "wrong") as stranger:
        stranger.session.mount("https://", ToSandbox(api.base))
        with pytest.raises(plivo.exceptions.AuthenticationError):
            stranger.messages.create(src=SENDER, dst=number("5555"), text="hello")
    with pytest.raises(plivo.exceptions.ValidationError, match="text"):
        client.messages.create(src=SENDER, dst=number("5555"), text="")
    with pytest.raises(plivo.exceptions.ResourceNotFoundError):
        client.messages.get("unknown")
