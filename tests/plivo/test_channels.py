"""What each channel sends, to the last field, and what it makes of the answer."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from core.ledger.exchanges import Exchanges
from core.model.code import Code
from core.model.errors import AttemptRejected, AttemptUnknown, SettingsRefused
from core.model.way import Way
from core.plivo.callback_address import CallbackAddress, CallbackUrls
from core.plivo.message_text import Encoding, measure
from core.plivo.phlo import Phlo, reference_in
from core.plivo.provider import ChannelSender, PlivoProvider
from core.plivo.request import AttemptRequest
from core.plivo.sms import Sms
from core.plivo.voice import Voice
from core.settings.keyring import Keyring
from core.settings.settings import Settings
from tests.plivo.scripted import (
    AUTH_ID,
    AUTH_TOKEN,
    CODE,
    FLOW,
    PHLO_ID,
    REFERENCE,
    SENDER,
    TO,
    TO_NUMBER,
    TOKEN,
    Answer,
    Scripted,
    json_answer,
    scripted,
)
from tests.world import World

SETTINGS = Settings(brand="Acme", plivo_number=SENDER, phlo_id=PHLO_ID)
LIVE = Settings(
    plivo_auth_id=AUTH_ID,
    plivo_auth_token=AUTH_TOKEN,
    plivo_number=SENDER,
    secret_key="a secret key that is long enough for all uses",
)
BASE = "https://verify.example.com"
REQUEST = AttemptRequest("abcdefghijklmnopqrstuvwx-1", Way.SMS, TO_NUMBER, Code(CODE), minutes=5)
CALLED = replace(REQUEST, way=Way.VOICE)


def made_urls() -> CallbackUrls:
    urls = CallbackAddress(BASE, local_allowed=False).urls(TOKEN)
    assert urls is not None
    return urls


URLS = made_urls()


@pytest.fixture
def plivo() -> Iterator[Scripted]:
    with scripted() as script:
        yield script


def sent(plivo: Scripted) -> dict[str, Any]:
    """The body of the only request that sends."""
    (request,) = plivo.sent
    return request.fields


# SMS


def test_a_message_carries_the_code_and_where_to_report_and_nothing_is_logged_by_plivo(
    plivo: Scripted,
) -> None:
    assert Sms(plivo.clients(), SETTINGS).send(REQUEST, URLS, None) == REFERENCE
    assert sent(plivo) == {
        "src": SENDER,
        "dst": TO,
        "text": f"{CODE} is your Acme verification code. It expires in 5 minutes.",
        # A text: the SDK refuses a bool, and Plivo's own default is "true".
        "log": "false",
        "url": f"{BASE}/plivo/message/{TOKEN}",
        "method": "POST",
        "type": "sms",
        "trackable": False,
    }


def test_without_an_address_a_message_requests_no_report(plivo: Scripted) -> None:
    Sms(plivo.clients(), SETTINGS).send(REQUEST, None, None)
    assert "url" not in sent(plivo)
    assert sent(plivo)["log"] == "false"


def test_the_message_is_the_template_filled_in(plivo: Scripted) -> None:
    settings = Settings(
        sms_template="__brand__: __code__, __minutes__ min",
        brand="Öl & Co",
        origin_host="a.example",
    )
    Sms(plivo.clients(), settings).send(replace(REQUEST, minutes=9), URLS, None)
    assert sent(plivo)["text"] == f"Öl & Co: {CODE}, 9 min\n@a.example #{CODE}"


@pytest.mark.parametrize(
    ("template", "encoding", "parts"),
    [
        ("__code__ is your code.", Encoding.GSM7, 1),
        (f"__code__ {'x' * 160}", Encoding.GSM7, 2),
        ("Ваш код: __code__", Encoding.UCS2, 1),
        (f"Ваш код: __code__ {'ж' * 60}", Encoding.UCS2, 2),
    ],
)
@pytest.mark.parametrize("length", [4, 6, 10])
def test_encoding_and_parts_are_known_before_anything_is_sent(
    plivo: Scripted, template: str, encoding: Encoding, parts: int, length: int
) -> None:
    sms = Sms(plivo.clients(), Settings(sms_template=template, code_length=length))
    preview = sms.preview(5)
    size = preview.size
    assert plivo.requests == []
    assert (size.encoding, size.parts) == (encoding, parts)
    assert preview.text == template.replace("__code__", "•" * length)
    code = "0471182365"[:length]
    sms.send(replace(REQUEST, code=Code(code)), URLS, None)
    assert measure(sent(plivo)["text"]) == size


def test_a_message_that_is_too_long_is_not_sent(plivo: Scripted) -> None:
    settings = Settings(sms_template=f"__code__ {'x' * 1600}")
    with pytest.raises(SettingsRefused) as raised:
        Sms(plivo.clients(), settings).send(REQUEST, URLS, None)
    assert CODE not in str(raised.value)
    assert plivo.requests == []


# Calls


def test_a_call_has_the_answer_url_and_never_the_code(plivo: Scripted) -> None:
    assert Voice(plivo.clients(), SETTINGS).send(CALLED, URLS, None) == REFERENCE
    assert sent(plivo) == {
        "from": SENDER,
        "to": TO,
        "answer_url": f"{BASE}/plivo/answer/{TOKEN}",
        "answer_method": "POST",
        "ring_url": f"{BASE}/plivo/ring/{TOKEN}",
        "hangup_url": f"{BASE}/plivo/hangup/{TOKEN}",
        "machine_detection": "hangup",
        "ring_timeout": 40,
        "time_limit": 120,
        # The SDK's own additions.
        "ring_method": "POST",
        "hangup_method": "POST",
        "fallback_method": "POST",
        "machine_detection_time": 5000,
        "machine_detection_method": "POST",
        "error_if_parent_not_found": False,
    }
    (request,) = plivo.requests
    everything = request.path + repr(request.headers) + request.body.decode()
    assert CODE not in everything
    assert ", ".join(CODE) not in everything


def test_without_a_public_url_no_call_is_made_and_the_remedy_is_named(plivo: Scripted) -> None:
    with pytest.raises(AttemptRejected) as raised:
        Voice(plivo.clients(), SETTINGS).send(CALLED, None, None)
    assert "PUBLIC_URL" in raised.value.cause
    assert "ngrok" in raised.value.remedy
    assert plivo.requests == []


# PHLO


@pytest.mark.parametrize("way", [Way.PHLO_SMS, Way.PHLO_CALL])
def test_a_phlo_gets_exactly_from_to_otp_and_mode(plivo: Scripted, way: Way) -> None:
    plivo.answer_with(FLOW, json_answer(200, message="started", phlo_run_id="r-1"))
    request = replace(REQUEST, way=way)
    Phlo(plivo.clients(), SETTINGS).send(request, URLS, None)
    assert sent(plivo) == {
        "from": SENDER,
        "to": TO,
        "otp": CODE,
        "mode": "call" if way is Way.PHLO_CALL else "sms",
    }
    found, ran = plivo.requests
    assert found.body == b""
    assert CODE not in found.path + ran.path


def test_without_a_phlo_id_nothing_is_run(plivo: Scripted) -> None:
    with pytest.raises(AttemptRejected) as raised:
        Phlo(plivo.clients(), LIVE).send(REQUEST, URLS, None)
    assert "PHLO_ID" in raised.value.remedy
    assert plivo.requests == []


@pytest.mark.parametrize(
    ("message", "reference"),
    [
        (f"{{'message': 'message(s) queued', 'message_uuid': ['{REFERENCE}']}}", REFERENCE),
        (f"{{u'message_uuid': [u'{REFERENCE}'], u'api_id': u'x'}}", REFERENCE),
        (f"{{'request_uuid': '{REFERENCE}', 'message': 'call fired'}}", REFERENCE),
        (json.dumps({"call_uuid": REFERENCE}), REFERENCE),
        (f"{{'api_id': '{REFERENCE}'}}", ""),
        ("{'message_uuid': ['not one']}", ""),
        ("Phlo triggered", ""),
        ("", ""),
    ],
)
def test_the_reference_is_found_in_the_answer_of_a_run(
    plivo: Scripted, message: str, reference: str
) -> None:
    assert reference_in(message) == reference
    plivo.answer_with(FLOW, json_answer(200, message=message))
    assert Phlo(plivo.clients(), SETTINGS).send(REQUEST, URLS, None) == reference


# All of them

MAKERS = [(Sms, REQUEST, "message_uuid"), (Voice, CALLED, "request_uuid")]


@pytest.mark.parametrize(("channel", "request_", "name"), MAKERS, ids=["sms", "voice"])
@pytest.mark.parametrize("form", [REFERENCE, [REFERENCE], [REFERENCE, "another"]])
def test_the_reference_may_be_one_or_a_list(
    plivo: Scripted, channel: Any, request_: AttemptRequest, name: str, form: Any
) -> None:
    plivo.answer_with(json_answer(202, **{name: form}))
    sender: ChannelSender = channel(plivo.clients(), SETTINGS)
    assert sender.send(request_, URLS, None) == REFERENCE


@pytest.mark.parametrize(("channel", "request_", "name"), MAKERS, ids=["sms", "voice"])
@pytest.mark.parametrize("form", ["", [], None])
def test_an_answer_without_a_reference_leaves_the_send_uncertain(
    plivo: Scripted, channel: Any, request_: AttemptRequest, name: str, form: Any
) -> None:
    plivo.answer_with(json_answer(202, **{name: form}))
    sender: ChannelSender = channel(plivo.clients(), SETTINGS)
    with pytest.raises(AttemptUnknown) as raised:
        sender.send(request_, URLS, None)
    assert raised.value.remedy.endswith(".")
    assert len(plivo.sent) == 1


@pytest.mark.parametrize("channel", [Sms, Voice, Phlo])
@pytest.mark.parametrize("status", [500, 503])
def test_property_no_channel_ever_sends_twice(plivo: Scripted, channel: Any, status: int) -> None:
    plivo.answer = lambda request: FLOW if request.method == "GET" else Answer(status, b"")
    sender: ChannelSender = channel(plivo.clients(), SETTINGS)
    with pytest.raises(AttemptUnknown):
        sender.send(REQUEST, URLS, None)
    assert len(plivo.sent) == 1


def test_a_request_shows_neither_number_nor_code() -> None:
    assert TO not in repr(REQUEST)
    assert CODE not in repr(REQUEST)


# The provider


def provider(
    at: World, plivo: Scripted, settings: Settings, address: CallbackAddress
) -> PlivoProvider:
    exchanges = Exchanges(at.services.client, at.services.keys, timedelta(minutes=1))
    return PlivoProvider(plivo.clients(), settings, Keyring(b"key"), address, exchanges.record)


def test_live_without_a_public_url_messages_and_phlos_are_polled(
    at: World, plivo: Scripted
) -> None:
    address = CallbackAddress(None, local_allowed=False)
    address.listening_on("http://127.0.0.1:8501")
    live = provider(at, plivo, LIVE, address)
    assert not any(live.calls_back(way) for way in Way)
    assert live.obstacle(Way.SMS) is None
    for way, missing in (
        (Way.VOICE, "PUBLIC_URL"),
        (Way.PHLO_SMS, "PHLO_ID"),
        (Way.PHLO_CALL, "PHLO_ID"),
    ):
        obstacle = live.obstacle(way)
        assert obstacle is not None
        assert missing in obstacle[1]


def test_with_a_public_url_all_channels_but_phlo_have_callbacks(at: World, plivo: Scripted) -> None:
    live = provider(at, plivo, LIVE, CallbackAddress(BASE, local_allowed=False))
    assert [way for way in Way if live.calls_back(way)] == [Way.SMS, Way.VOICE]


def test_the_callback_url_carries_a_token_of_this_attempt_and_exchanges_are_kept(
    at: World, plivo: Scripted
) -> None:
    keyring = Keyring(b"key")
    sender = provider(at, plivo, SETTINGS, CallbackAddress(BASE, local_allowed=False))
    assert sender.send(REQUEST) == REFERENCE
    token = sent(plivo)["url"].removeprefix(f"{BASE}/plivo/message/")
    assert keyring.attempt_id(token) == REQUEST.attempt
    (shown,) = at.services.exchanges.of("abcdefghijklmnopqrstuvwx")
    assert shown.status == 202
    for secret in (CODE, TO[1:], token, AUTH_TOKEN):
        assert secret not in repr(shown)
