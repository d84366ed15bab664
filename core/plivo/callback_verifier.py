"""Verifies that a request is a callback from Plivo about one of our attempts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from core.plivo.callback_address import CallbackAddress
from core.plivo.signature import check_signature
from core.settings.keyring import Keyring


class UnreadableCallback(Exception):
    """Raised for a request with a token of ours whose parameters are not a form in UTF-8."""


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """Which attempt a callback is about, and its parameters. `digits_url` takes the keys that are
    pressed in that attempt's call."""

    attempt: str
    form: dict[str, str] = field(repr=False)
    digits_url: str = field(repr=False)


class CallbackVerifier:
    """Needs both our token in the path and Plivo's signature over the public URL."""

    def __init__(self, keyring: Keyring, auth_token: str, address: CallbackAddress) -> None:
        self._keyring = keyring
        self._auth_token = auth_token
        self._address = address

    def verify(
        self,
        token: str,
        *,
        method: str,
        path: bytes,
        query: bytes,
        headers: Mapping[str, str],
        body: bytes,
    ) -> VerifiedCallback | None:
        """The callback; None for a forged one. `path` and `query` are as the client sent them.

        The URL is not built from the header Host, which may be malformed. Raises
        UnreadableCallback.
        """
        attempt = self._keyring.attempt_id(token)
        base = self._address.base
        if attempt is None or base is None:
            return None
        try:
            url = f"{base}{path.decode()}"
            if query:
                url = f"{url}?{query.decode()}"
            parameters = _parse_form(query.decode(), strict=False)
            form = _parse_form(body.decode(), strict=bool(body))
        except ValueError as error:
            raise UnreadableCallback from error
        check = check_signature(
            self._auth_token, method=method, url=url, headers=headers, form=form
        )
        if not check.is_valid:
            return None
        return VerifiedCallback(attempt, parameters | form, f"{base}/plivo/digits/{token}")


def _parse_form(text: str, *, strict: bool) -> dict[str, str]:
    """Names and values. Raises ValueError for percent-encoded bytes that are not UTF-8, and with
    `strict` for a part without "="."""
    return dict(parse_qsl(text, keep_blank_values=True, strict_parsing=strict, errors="strict"))
