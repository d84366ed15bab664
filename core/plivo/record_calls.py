"""The calls of the SDK that read records: of one message or call, and the pages of Plivo's logs."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from core.plivo.sdk_call import SdkCall


def record_of(reference: str, *, is_call: bool) -> SdkCall:
    """The record of a message, or of a call, which has one once it has ended (`has_ended`)."""
    if is_call:
        return SdkCall("calls.get", {"call_uuid": reference})
    return SdkCall("messages.get", {"message_uuid": reference})


def live_call_of(reference: str) -> SdkCall:
    """A call that has not ended."""
    return SdkCall("live_calls.get", {"_id": reference})


def has_ended(call: object) -> bool:
    """Whether the record of a call is that of an ended one."""
    return bool(getattr(call, "end_time", None))


def log_page(start: datetime, end: datetime, *, is_call: bool, limit: int, offset: int) -> SdkCall:
    """A page of the messages that were sent, or of the calls that ended, from `start` to before
    `end`."""
    path, moment = ("calls.list", "end_time") if is_call else ("messages.list", "message_time")
    window = {f"{moment}__gte": _utc(start), f"{moment}__lt": _utc(end)}
    return SdkCall(path, {**window, "limit": limit, "offset": offset})


def rows_of(page: Any) -> Sequence[Any]:
    """The records on a page."""
    return list(getattr(page, "objects", page) or [])


def _utc(moment: datetime) -> str:
    """Filters of the lists are in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"
