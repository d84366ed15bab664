"""Checks whether Plivo signed a request.

V3 covers the URL with its query, the form and a nonce, but joins the form's names and values, so
it does not cover their boundaries. V2 covers the URL without its
query and a nonce, so a V2 request may have been altered: the token in our callbacks' path is needed
beside it. Each family has two headers, one keyed with the (sub)account's token and one ("Ma") with
the main account's. Plivo's pages and what has been observed differ on which callback carries which
family (UNVERIFIED), hence the rule: if there is any V3 header, V3 must match; else V2 may.

The signed string is built by the SDK's own helpers. The comparison is ours: the SDK's is not
constant-time, and a space after a comma between several signatures breaks it.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import urlsplit

_PREFIX = "x-plivo-signature-"


class SignatureCheck(StrEnum):
    """The result of a check."""

    VALID_V3 = "valid_v3"
    VALID_V2 = "valid_v2"
    MISSING = "missing"
    WRONG = "wrong"

    @property
    def is_valid(self) -> bool:
        """Whether the request may be trusted, if its token is valid too."""
        return self in {SignatureCheck.VALID_V3, SignatureCheck.VALID_V2}


def check_signature(
    auth_token: str,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    form: Mapping[str, str | list[str]],
) -> SignatureCheck:
    """Check a request against the account's token.

    `url` is the public URL as Plivo was given it, with its query. `headers` are looked up without
    regard to case. `form` holds the decoded fields of the body, a list where a name came twice.
    """
    lowered = {name.lower(): value for name, value in headers.items()}
    v3 = _family(lowered, "v3")
    v2 = _family(lowered, "v2")
    if not any(v3) and not any(v2):
        return SignatureCheck.MISSING
    # With an empty key every client could sign.
    if not auth_token:
        return SignatureCheck.WRONG
    nonce, candidates = v3 if any(v3) else v2
    if not nonce or not candidates:
        return SignatureCheck.WRONG
    try:
        if any(v3):
            expected = _sign_v3(auth_token, method, url, nonce, form)
        else:
            expected = _sign_v2(auth_token, url, nonce)
        # Bytes: compare_digest refuses text that is not ASCII, and a forged header may be any text.
        matches = [hmac.compare_digest(expected, candidate.encode()) for candidate in candidates]
    except ValueError:
        # Plivo cannot have signed a host or a text that cannot be encoded.
        return SignatureCheck.WRONG
    if not any(matches):
        return SignatureCheck.WRONG
    return SignatureCheck.VALID_V3 if any(v3) else SignatureCheck.VALID_V2


def _family(headers: Mapping[str, str], version: str) -> tuple[str, tuple[str, ...]]:
    """The nonce ("" if there is none) and all signatures of one version."""
    listed = (headers.get(f"{_PREFIX}{owner}{version}", "") for owner in ("", "ma-"))
    signatures = tuple(one.strip() for value in listed for one in value.split(",") if one.strip())
    return headers.get(f"{_PREFIX}{version}-nonce", ""), signatures


def _sign_v3(
    auth_token: str, method: str, url: str, nonce: str, form: Mapping[str, str | list[str]]
) -> bytes:
    # Imported late: the SDK takes a third of a second to load.
    from plivo.utils.signature_v3 import construct_get_url, construct_post_url, get_signature_v3

    construct = construct_get_url if method.upper() == "GET" else construct_post_url
    # A copy: the SDK merges the query into the mapping it is given.
    signed = construct(url, dict(form)).decode()
    return bytes(get_signature_v3(auth_token.encode(), signed, nonce))


def _sign_v2(auth_token: str, url: str, nonce: str) -> bytes:
    # The SDK has no helper that stops short of its own comparison.
    parts = urlsplit(url)
    signed = f"{parts.scheme}://{parts.netloc}{parts.path}{nonce}"
    return base64.b64encode(hmac.digest(auth_token.encode(), signed.encode(), hashlib.sha256))
