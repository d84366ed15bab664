"""The JSON that all events share."""

import json
from collections.abc import Mapping
from datetime import datetime


def envelope(event_id: str, event_type: str, at: datetime, data: Mapping[str, object]) -> bytes:
    """`{"id", "type", "timestamp", "data"}` in ASCII; `at` is aware, in UTC."""
    timestamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    message = {"id": event_id, "type": event_type, "timestamp": timestamp, "data": data}
    return json.dumps(message, separators=(",", ":")).encode("ascii")
