"""Signs requests as Plivo does: HMAC-SHA256 with the auth token, in standard Base64.

V2 covers the URL without its query, and the nonce. V3 covers the URL, the sorted query, the sorted
form and the nonce. Plivo's documentation and public code disagree about which callback carries
which, so all six headers are sent by default.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from enum import StrEnum
from urllib.parse import parse_qsl, urlsplit


class Signatures(StrEnum):
    """The signature versions that a request carries."""

    BOTH = "both"
    V2 = "v2"
    V3 = "v3"


def sign_v2(url: str, nonce: str, token: str) -> str:
    """`url` is the full URL; its query and fragment are not covered."""
    return _mac(_base(url) + nonce, token)


def sign_v3(method: str, url: str, nonce: str, token: str, form: Mapping[str, str]) -> str:
    """`form` holds decoded values. For a GET they are query parameters."""
    query = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    posted = method == "POST" and bool(form)
    if method == "GET":
        # As in Plivo's SDK: a name in the query takes precedence over the same name in the form.
        named = {name for name, _ in query}
        query += [(name, value) for name, value in form.items() if name not in named]
    signed = _base(url)
    if query or posted:
        signed += "?" + "&".join(f"{name}={value}" for name, value in sorted(query))
    if posted:
        signed += "." if query else ""
        signed += "".join(f"{name}{value}" for name, value in sorted(form.items()))
    return _mac(f"{signed}.{nonce}", token)


def signature_headers(
    method: str, url: str, form: Mapping[str, str], token: str, families: Signatures
) -> dict[str, str]:
    """The headers of one request, with a new nonce.

    The account is a main account, so the Ma headers have the same values.
    """
    nonce = "".join(secrets.choice("0123456789") for _ in range(20))
    headers: dict[str, str] = {}
    if families is not Signatures.V3:
        headers |= _family("V2", sign_v2(url, nonce, token), nonce)
    if families is not Signatures.V2:
        headers |= _family("V3", sign_v3(method, url, nonce, token, form), nonce)
    return headers


def _family(version: str, signature: str, nonce: str) -> dict[str, str]:
    return {
        f"X-Plivo-Signature-{version}": signature,
        f"X-Plivo-Signature-Ma-{version}": signature,
        f"X-Plivo-Signature-{version}-Nonce": nonce,
    }


def _base(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def _mac(signed: str, token: str) -> str:
    return base64.b64encode(hmac.digest(token.encode(), signed.encode(), hashlib.sha256)).decode()
