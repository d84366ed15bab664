"""What of an exchange may be shown."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.model.code import Code
from core.model.language import Language
from core.plivo.call_xml import code_read_out
from core.plivo.masking import DOTS, mask_fields, mask_number, mask_text, mask_value
from core.plivo.sdk_call import SdkCall
from core.settings.keyring import Keyring, new_id
from tests.plivo.scripted import CALL, CODE, MESSAGE, RUN, TO, TOKEN

DIGITS = st.text("0123456789", min_size=4, max_size=10)
NUMBERS = st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True)
UUIDS = st.uuids().map(str)
TOKENS = st.builds(
    lambda n: Keyring(b"a key for tests").callback_token(f"{new_id()}-{n}"), st.integers(1, 99)
)
SEPARATORS = ["", " ", ", ", ",", ".", ". ", "\n", "  "]


def squeezed(text: str) -> str:
    """The text without what may stand between spoken digits."""
    return re.sub(r"[\s,.]", "", text)


@given(DIGITS, st.text(), st.text(), st.sampled_from(SEPARATORS))
@example("1111", "1", "1 11", ", ")
@example("0471", "047", "1", " ")
@example("4711", "4155", "0000", "")  # Inside a number.
def test_property_09_the_code_is_never_shown_however_it_is_set(
    code: str, before: str, after: str, separator: str
) -> None:
    shown = mask_text(f"{before}{separator.join(code)}{after}", Code(code))
    assert code not in squeezed(shown)
    assert DOTS in shown


@given(DIGITS)
def test_the_code_is_not_shown_as_it_is_read_out(code: str) -> None:
    for spoken in (
        code_read_out(Code(code), code_is="Your code is:", goodbye="", language=Language.EN),
        " ".join(code),
    ):
        assert code not in squeezed(mask_text(spoken, Code(code)))


@given(DIGITS)
def test_a_text_without_the_code_stays_as_it_is(code: str) -> None:
    text = "Your order is on its way. message(s) queued"
    assert mask_text(text, Code(code)) == text


@given(NUMBERS, st.text(), st.text())
@example("14155557623", "tel:+", "")
@example("14155557623", "to=", "-1")
@example("14155557623", "caller-", "_x")
@example("14155557623", "", "<14155557624")
@example("14155557623", "0", "0123456789")
def test_property_09_a_full_number_is_never_shown(number: str, before: str, after: str) -> None:
    assert number not in mask_text(f"{before}{number}{after}")


@pytest.mark.parametrize(
    "written", ["+1 415 555 7623", "+1 (415) 555-7623", "+49 30.901820", "+1-415-555-7623"]
)
def test_a_number_as_people_write_it_is_masked(written: str) -> None:
    digits = re.sub(r"\D", "", written)
    shown = mask_text(f"Not a mobile: {written}.")
    assert digits not in re.sub(r"\D", "", shown)
    assert shown.endswith(f"{digits[-2:]}.")


@given(NUMBERS)
def test_a_masked_number_keeps_three_digits_in_front_and_two_behind(number: str) -> None:
    shown = mask_number(f"+{number}")
    assert len(shown) == len(number) + 1
    assert shown == f"+{number[:3]}{'•' * (len(number) - 5)}{number[-2:]}"


@given(TOKENS, DIGITS)
def test_property_09_a_callback_token_is_never_shown(token: str, code: str) -> None:
    url = f"https://example.com/plivo/message/{token}"
    assert mask_text(url) == f"https://example.com/plivo/message/{DOTS}"
    # A code that is part of the token by chance must not save the rest of it.
    for chance in (token[30:34], code):
        assert mask_text(url, Code(chance)) == f"https://example.com/plivo/message/{DOTS}"


@given(UUIDS)
@example("12345678-1234-4123-8123-123456789012")
def test_an_identifier_stays_readable(uuid: str) -> None:
    path = f"/v1/Account/{DOTS}/Message/{uuid}/"
    assert mask_text(path) == path
    assert mask_value("message_uuid", [uuid], Code(CODE)) == [uuid]
    assert mask_value("api_id", uuid, Code(uuid[:4])) == uuid


def test_an_account_keeps_only_its_kind() -> None:
    assert mask_text("/v1/Account/MATESTTESTTESTTEST00/") == f"/v1/Account/MA{DOTS}/"
    assert mask_text("SATESTTESTTESTTEST00") == f"SA{DOTS}"


def test_a_date_and_an_amount_stay_readable() -> None:
    for text in ("2021-04-16 18:39:29.088198", "0.00650", "1 of 1", "HTTP 503"):
        assert mask_text(text) == text


@pytest.mark.parametrize("name", ["otp", "OTP", "Digits", "speech"])
def test_a_secret_parameter_is_hidden_whatever_it_holds(name: str) -> None:
    assert mask_value(name, "12") == DOTS


@pytest.mark.parametrize("name", ["caller_id", "call_uuid", "From", "to", "anything"])
def test_a_number_is_masked_under_any_name(name: str) -> None:
    assert mask_value(name, TO) == "+141••••••23"


def test_nested_values_are_masked_too() -> None:
    fields = {
        "objects": [{"to_number": TO[1:], "text": "471182!", "units": 1, "log": True}],
        "error": {TO: None, "codes": [int(TO), 471182]},
    }
    assert mask_fields(fields, Code("471182")) == {
        "objects": [{"to_number": "141••••••23", "text": f"{DOTS}!", "units": 1, "log": True}],
        "error": {"+141••••••23": None, "codes": ["141••••••23", DOTS]},
    }


@pytest.mark.parametrize("call", [MESSAGE, CALL, RUN], ids=["sms", "voice", "phlo"])
def test_property_09_a_call_of_the_sdk_is_shown_without_secrets(call: SdkCall) -> None:
    for shown in (call.words, repr(call), str(call)):
        for secret in (CODE, TO[1:], TOKEN):
            assert secret not in shown


def test_a_call_of_the_sdk_is_shown_as_python() -> None:
    assert MESSAGE.words == (
        "client.messages.create(src='+141••••••00', dst='+141••••••23', "
        f"text='{DOTS} is your code.', log='false', "
        f"url='https://example.com/plivo/message/{DOTS}')"
    )
    assert RUN.words == (
        "client.phlo.get('5a4db0c5-0000-4000-8000-000000000001').run(**{'from': '+141••••••00', "
        f"'to': '+141••••••23', 'otp': '{DOTS}', 'mode': 'call'}})"
    )
