"""Maps an HTTP status or a `requests` exception to a named error with its cause and remedy.

Each mapping decides whether the message or call may be on its way. If it cannot be, the attempt is
rejected and its budget returned. If it may be, it stays counted: counted as unsent, it would allow
a free resend. Statuses as documented by Plivo (plivo.com/docs); 402 is not documented; its
meaning is that of its HTTP name.
"""

import ssl

import requests
from plivo.exceptions import PlivoRestError

from core.model.errors import AttemptRejected, AttemptUnknown, ProviderError, ProviderRead
from core.plivo.answers import UNCONFIRMED, empty_answer
from core.plivo.masking import mask_text
from core.plivo.wire import WireError

# Refusals: status → (cause, remedy).
_REFUSED: dict[int, tuple[str, str]] = {
    400: ("Plivo refused the request as invalid", "Check the number and the sender."),
    401: ("Plivo does not accept the credentials", "Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN."),
    402: ("The Plivo account has no credit left", "Top up the account in the Plivo console."),
    403: (
        "Plivo does not allow this account to reach that country or number",
        "Switch the country on in the Plivo console, under Geo Permissions.",
    ),
    404: ("Plivo does not know what was asked for", "Check PHLO_ID and PLIVO_AUTH_ID."),
    405: ("Plivo does not allow this request", "Check that the account has this feature."),
    409: ("Plivo reports a conflict with another request", "Try again in a minute."),
    422: ("Plivo could not process the request", "Check the number and the sender."),
}

_UNCERTAIN: dict[int, tuple[str, str]] = {
    429: ("Plivo is receiving too many requests from this account", UNCONFIRMED),
    500: ("Plivo had an internal error", UNCONFIRMED),
    502: ("Plivo's gateway had an error", UNCONFIRMED),
    503: ("Plivo is not available at the moment", UNCONFIRMED),
    504: ("Plivo's gateway timed out", UNCONFIRMED),
}


def send_failure(error: Exception) -> ProviderError | None:
    """The named error for an exception of a send; None if it has another cause."""
    if isinstance(error, WireError):
        return _answered(error)
    if isinstance(error, requests.exceptions.RequestException):
        return _unanswered(error)
    if is_from_sdk(error):
        detail = mask_text(str(error)).rstrip(".")
        return AttemptRejected(
            f"The SDK refused the request: {detail}.", "Check the number, sender and PUBLIC_URL."
        )
    return None


def is_from_sdk(error: Exception) -> bool:
    """Whether the SDK itself raised it. Error answers never reach the SDK, so this is its check of
    the arguments, and its text may repeat them."""
    return isinstance(error, PlivoRestError)


def read_failure(error: Exception) -> ProviderError | None:
    """The same for reading a record: every error is a ProviderRead, as nothing was sent."""
    failure = send_failure(error)
    if failure is None:
        return None
    remedy = "Try again in a moment." if failure.remedy == UNCONFIRMED else failure.remedy
    return ProviderRead(failure.cause, remedy, failure.status)


def not_sent_failure(error: Exception) -> ProviderError | None:
    """The same for a read before a send: nothing was sent in any case."""
    failure = read_failure(error)
    return failure and AttemptRejected(failure.cause, failure.remedy, failure.status)


def _answered(error: WireError) -> ProviderError:
    status = error.status
    if status < 300:
        return empty_answer(status)
    if status < 400:
        return AttemptUnknown(
            f"Plivo's address redirects elsewhere (HTTP {status}), where no code is sent.",
            "Check for a proxy on the way to Plivo, or SANDBOX_URL.",
            status,
        )
    if status in _UNCERTAIN or status >= 500:
        cause, remedy = _UNCERTAIN.get(status, _UNCERTAIN[500])
        return AttemptUnknown(f"{cause} (HTTP {status}).", remedy, status)
    cause, remedy = _REFUSED.get(status, _REFUSED[400])
    detail = f": {error.text.rstrip('.')}" if error.text and status != 401 else ""
    return AttemptRejected(f"{cause} (HTTP {status}){detail}.", remedy, status)


def _unanswered(error: requests.exceptions.RequestException) -> ProviderError:
    # Each but the last two fails before a byte of the request is sent.
    match error:
        case requests.exceptions.ConnectTimeout():
            return AttemptRejected(
                "Plivo could not be reached in time.", "Check the network, then try again."
            )
        case requests.exceptions.SSLError() if _distrusted(error):
            return AttemptRejected(
                "The connection to Plivo is not trusted.", "Check the machine's certificates."
            )
        case requests.exceptions.InvalidURL():
            return AttemptRejected("Plivo's address is wrong.", "Check SANDBOX_URL.")
        case requests.exceptions.ConnectionError() if _never_connected(error):
            return AttemptRejected(
                "There is no connection to Plivo.", "Check the network, then try again."
            )
        case requests.exceptions.ReadTimeout():
            return AttemptUnknown("Plivo did not answer in time.", UNCONFIRMED)
        case _:
            return AttemptUnknown("The connection to Plivo broke.", UNCONFIRMED)


def _distrusted(error: requests.exceptions.SSLError) -> bool:
    """Whether the certificate was refused. Other TLS errors may come after the request was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = reason.args[0] if reason is not None and reason.args else reason
    return isinstance(cause, ssl.SSLCertVerificationError)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """Whether the connection was refused: then nothing was sent."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in {"NewConnectionError", "NameResolutionError"}
