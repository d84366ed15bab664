"""Signatures: Plivo's official vectors, and the validators of its SDK."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from plivo.utils import validate_signature, validate_v3_signature

from core.sandbox.signature import Signatures, sign_v2, sign_v3, signature_headers
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

WORDS = st.text("abcXYZ01 +&=%/.é", max_size=6)
FORMS = st.dictionaries(st.text("abcDEF", min_size=1, max_size=4), WORDS, max_size=5)
QUERIES = st.sampled_from(["", "?z=1", "?y=2&x=1", "?a=b%2Fc+d", "?q=2&q=1", "?blank=", "#ct=500"])


def test_v2_signs_the_official_vector() -> None:
    assert sign_v2(V2_URL, V2_NONCE, V2_TOKEN) == V2_SIGNATURE


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("POST", V3_POST),
        ("GET", V3_GET),
    ],
)
def test_v3_signs_the_official_vectors(method: str, expected: str) -> None:
    assert sign_v3(method, V3_URL, V3_NONCE, V3_TOKEN, V3_FORM) == expected


@given(method=st.sampled_from(["GET", "POST"]), query=QUERIES, form=FORMS)
@example(method="POST", query="?z=1", form={})
@example(method="POST", query="", form={})
def test_the_sdk_always_accepts_what_v3_signs(
    method: str, query: str, form: dict[str, str]
) -> None:
    url = f"https://host.example:8443/cb/token/{query}"
    signature = sign_v3(method, url, "12345", "token", form)
    assert validate_v3_signature(method, url, "12345", "token", signature, dict(form))


@given(query=QUERIES)
def test_the_sdk_always_accepts_what_v2_signs(query: str) -> None:
    url = f"https://host.example/cb{query}"
    assert validate_signature(url, "12345", sign_v2(url, "12345", "token"), "token")


def test_a_request_has_six_headers_or_three_of_one_version() -> None:
    def headers(families: Signatures) -> set[str]:
        return set(signature_headers("POST", "https://host.example/", {}, "token", families))

    assert len(headers(Signatures.BOTH)) == 6
    assert all("-V2" in name for name in headers(Signatures.V2))
    assert all("-V3" in name for name in headers(Signatures.V3))
    assert headers(Signatures.V2) | headers(Signatures.V3) == headers(Signatures.BOTH)


def test_each_request_has_a_nonce_of_its_own() -> None:
    nonces = {
        signature_headers("POST", "https://host.example/", {}, "token", Signatures.V3)[
            "X-Plivo-Signature-V3-Nonce"
        ]
        for _ in range(50)
    }
    assert len(nonces) == 50
    assert all(len(nonce) == 20 and nonce.isdigit() for nonce in nonces)
