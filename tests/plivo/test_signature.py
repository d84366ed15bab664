"""Whether Plivo signed a request. The vectors are Plivo's own."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature
from plivo.utils.signature_v3 import construct_get_url, construct_post_url, get_signature_v3

from core.plivo.signature import SignatureCheck, check_signature
from tests.plivo.signature_vectors import (
    V2_NONCE,
    V2_SIGNATURE,
    V2_TOKEN,
    V2_URL,
    V3_FORM,
    V3_GET,
    V3_NONCE,
    V3_POST,
    V3_TOKEN,
    V3_URL,
)

V2_HEADERS = {
    "X-Plivo-Signature-V2": V2_SIGNATURE,
    "X-Plivo-Signature-V2-Nonce": V2_NONCE,
}

NAMES = st.text(alphabet="abcXYZ_-", min_size=1, max_size=8)
VALUES = st.text(alphabet=st.characters(codec="utf-8"), max_size=20)
FORMS = st.dictionaries(NAMES, VALUES, max_size=5)
PATHS = st.text(alphabet="abcxyz0189/._-", max_size=20)
QUERIES = st.sampled_from(["", "?a=1", "?b=2&a=1", "?empty=&a=x+y%2F", "?a=2&a=1"])
NONCES = st.text(alphabet="0123456789", min_size=1, max_size=20)


def v3_headers(signature: str, nonce: str = V3_NONCE, owner: str = "") -> dict[str, str]:
    return {f"X-Plivo-Signature-{owner}V3": signature, "X-Plivo-Signature-V3-Nonce": nonce}


def sign_v3(method: str, url: str, nonce: str, form: dict[str, str]) -> str:
    construct = construct_get_url if method == "GET" else construct_post_url
    signed = construct(url, dict(form)).decode()
    return str(get_signature_v3(V3_TOKEN.encode(), signed, nonce).decode())


def check_v3(headers, url=V3_URL, form=V3_FORM, method="POST", token=V3_TOKEN) -> SignatureCheck:
    return check_signature(token, method=method, url=url, headers=headers, form=form)


def check_v2(headers, url=V2_URL, form=None, token=V2_TOKEN) -> SignatureCheck:
    return check_signature(token, method="POST", url=url, headers=headers, form=form or {})


def other(char: str) -> str:
    return "x" if char != "x" else "y"


def flipped(text: str, at: int) -> str:
    return text[:at] + other(text[at]) + text[at + 1 :]


@pytest.mark.parametrize(("method", "signature"), [("POST", V3_POST), ("GET", V3_GET)])
def test_plivos_own_v3_vector_is_valid(method, signature):
    assert check_v3(v3_headers(signature), method=method) is SignatureCheck.VALID_V3


def test_plivos_own_v2_vector_is_valid():
    assert check_v2(V2_HEADERS) is SignatureCheck.VALID_V2


def test_the_main_accounts_signature_is_as_good():
    assert check_v3(v3_headers(V3_POST, owner="Ma-")) is SignatureCheck.VALID_V3
    both = v3_headers("wrong=") | {"X-Plivo-Signature-Ma-V3": V3_POST}
    assert check_v3(both) is SignatureCheck.VALID_V3
    main = {
        "X-Plivo-Signature-Ma-V2": V2_HEADERS["X-Plivo-Signature-V2"],
        "X-Plivo-Signature-V2-Nonce": "12345",
    }
    assert check_v2(main) is SignatureCheck.VALID_V2


@pytest.mark.parametrize("spelling", [str.lower, str.upper, str.title])
def test_headers_are_found_however_they_are_spelled(spelling):
    headers = {spelling(name): value for name, value in v3_headers(V3_POST).items()}
    assert check_v3(headers) is SignatureCheck.VALID_V3


@pytest.mark.parametrize("listed", ["{},b3RoZXI=", "b3RoZXI=,{}", "b3RoZXI=, {}", " {} ,", ",,{}"])
def test_one_right_signature_of_several_is_enough(listed):
    assert check_v3(v3_headers(listed.format(V3_POST))) is SignatureCheck.VALID_V3


def test_a_method_may_be_written_small():
    assert check_v3(v3_headers(V3_GET), method="get") is SignatureCheck.VALID_V3


def test_a_name_that_came_twice_is_covered_in_any_order():
    form = {"Digits": ["2", "1"]}
    signed = f"{V3_URL.split('?')[0]}?a=b&c=d.Digits1Digits2.{V3_NONCE}"
    mac = base64.b64encode(hmac.digest(V3_TOKEN.encode(), signed.encode(), hashlib.sha256))
    assert check_v3(v3_headers(mac.decode()), form=form) is SignatureCheck.VALID_V3


def test_v3_does_not_cover_where_a_name_ends_and_its_value_begins():
    signature = sign_v3("POST", V3_URL, V3_NONCE, {"Digits": "1"})
    recut = check_v3(v3_headers(signature), form={"Dig": "its1"})
    assert recut is SignatureCheck.VALID_V3


def test_a_check_leaves_the_form_as_it_was():
    form = dict(V3_FORM)
    check_v3(v3_headers(V3_GET), method="GET", form=form)
    assert form == V3_FORM


def test_a_request_without_signatures_has_them_missing():
    assert check_v3({}) is SignatureCheck.MISSING
    assert check_v3({"X-Plivo-Signature-V3": ""}) is SignatureCheck.MISSING
    assert not SignatureCheck.MISSING.is_valid


def test_where_v3_is_wrong_a_right_v2_does_not_help():
    right_v2 = {**V2_HEADERS}
    assert check_v2(right_v2 | v3_headers(V3_POST)) is SignatureCheck.WRONG
    assert check_v2(right_v2 | {"X-Plivo-Signature-V3-Nonce": V3_NONCE}) is SignatureCheck.WRONG
    assert check_v2(right_v2 | {"X-Plivo-Signature-V3": V3_POST}) is SignatureCheck.WRONG
    assert check_v2(right_v2 | {"X-Plivo-Signature-Ma-V3": V3_POST}) is SignatureCheck.WRONG


def test_v2_covers_neither_query_nor_body_which_is_why_the_path_has_a_token():
    altered = check_v2(V2_HEADERS, url=f"{V2_URL}?status=x#ct=1", form={"Status": "delivered"})
    assert altered is SignatureCheck.VALID_V2


@pytest.mark.parametrize("check", [check_v2, check_v3])
def test_the_token_of_another_account_is_wrong(check):
    headers = V2_HEADERS if check is check_v2 else v3_headers(V3_POST)
    assert check(headers, token="other") is SignatureCheck.WRONG


def test_without_a_token_no_signature_is_valid():
    mac = base64.b64encode(hmac.digest(b"", f"{V2_URL}1".encode(), hashlib.sha256)).decode()
    forged = {"X-Plivo-Signature-V2": mac, "X-Plivo-Signature-V2-Nonce": "1"}
    assert check_v2(forged, token="") is SignatureCheck.WRONG


@pytest.mark.parametrize("bad", ["é", "\udc80", "=" * 9999, "x,\udc80"])
def test_a_signature_of_odd_characters_is_wrong_and_no_error(bad):
    assert check_v3(v3_headers(bad)) is SignatureCheck.WRONG
    assert check_v3(v3_headers(V3_POST, nonce=bad)) is SignatureCheck.WRONG


def test_a_malformed_address_is_wrong_and_not_an_error():
    assert check_v3(v3_headers(V3_POST), url="https://[/x") is SignatureCheck.WRONG
    assert check_v2(V2_HEADERS, url="https://[/x") is SignatureCheck.WRONG


@given(path=PATHS, query=QUERIES, nonce=NONCES, form=FORMS, method=st.sampled_from(["POST", "GET"]))
def test_what_the_sdk_calls_valid_v3_is_valid_here(path, query, nonce, form, method):
    url = f"https://example.com/{path}{query}"
    signature = sign_v3(method, url, nonce, form)
    assert validate_v3_signature(method, url, nonce, V3_TOKEN, signature, dict(form))
    result = check_v3(v3_headers(signature, nonce), url=url, form=form, method=method)
    assert result is SignatureCheck.VALID_V3


@given(path=PATHS, query=QUERIES, nonce=NONCES)
def test_what_the_sdk_calls_valid_v2_is_valid_here(path, query, nonce):
    signed = f"https://example.com/{path}{nonce}".encode()
    mac = base64.b64encode(hmac.digest(V2_TOKEN.encode(), signed, hashlib.sha256)).decode()
    headers = {"X-Plivo-Signature-V2": mac, "X-Plivo-Signature-V2-Nonce": nonce}
    url = f"https://example.com/{path}{query}"
    assert validate_signature(url, nonce, mac, V2_TOKEN)
    assert check_v2(headers, url=url) is SignatureCheck.VALID_V2


@given(st.data())
def test_one_changed_character_of_the_address_is_wrong(data):
    at = data.draw(st.integers(len("https://"), len(V3_URL) - 1))
    changed = flipped(V3_URL, at)
    assert check_v3(v3_headers(V3_POST), url=changed) is SignatureCheck.WRONG


@given(st.data())
def test_one_changed_character_of_the_nonce_is_wrong(data):
    at = data.draw(st.integers(0, len(V3_NONCE) - 1))
    assert check_v3(v3_headers(V3_POST, nonce=flipped(V3_NONCE, at))) is SignatureCheck.WRONG


@given(st.data())
def test_one_changed_character_of_a_form_value_is_wrong(data):
    name = data.draw(st.sampled_from(sorted(V3_FORM)))
    at = data.draw(st.integers(0, len(V3_FORM[name]) - 1))
    form = V3_FORM | {name: flipped(V3_FORM[name], at)}
    assert check_v3(v3_headers(V3_POST), form=form) is SignatureCheck.WRONG


@given(st.data())
def test_one_changed_character_of_the_signature_is_wrong(data):
    at = data.draw(st.integers(0, len(V3_POST) - 1))
    assert check_v3(v3_headers(flipped(V3_POST, at))) is SignatureCheck.WRONG


@pytest.mark.parametrize("name", sorted(V3_FORM))
def test_a_form_with_a_field_taken_away_is_wrong(name):
    form = {key: value for key, value in V3_FORM.items() if key != name}
    assert check_v3(v3_headers(V3_POST), form=form) is SignatureCheck.WRONG


def test_a_form_with_a_field_added_is_wrong():
    form = V3_FORM | {"Digits": "1"}
    assert check_v3(v3_headers(V3_POST), form=form) is SignatureCheck.WRONG
