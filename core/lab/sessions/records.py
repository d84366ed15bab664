"""The fields of a test session's hash in Redis.

    about              JSON: name, tester, build, started_ms
    ended_ms           when it was ended; missing while it is open
    item:<id>          JSON: what the item checks; never changed
    mark:<id>          JSON: mark, at_ms, seen
    note:<id>          text
    attempt:<id>       the attempt that the item was seen on
    refusal:<id>       the refused send that it was seen on
    verification:<id>  when it was collected, ms
    refused:<id>       JSON: a refused send

Decision: a field for each value that a tester changes, so that two testers who mark at once write
different fields. Rejected: one JSON document for a session, where the second write loses the first.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from core.lab.sessions.model import (
    ChecklistItem,
    CollectedVerification,
    ItemMark,
    Mark,
    RefusedSend,
    TestSession,
)
from core.model.clock import from_ms, to_ms
from core.model.way import Way

#: The families of fields that belong to an item.
ITEM_FIELDS = ("item", "mark", "note", "attempt", "refusal")


def item_record(item: ChecklistItem, position: tuple[int, int]) -> str:
    """The JSON of a new item; `position` is its place in the checklist."""
    return json.dumps(
        {
            "title": item.title,
            "expected": item.expected,
            "way": item.way.name if item.way else "",
            "ending": item.ending,
            "expected_state": item.expected_state,
            "expected_code": item.expected_code,
            "phone": item.phone,
            "position": position,
        },
        ensure_ascii=False,
    )


def mark_record(marked: ItemMark) -> str:
    return json.dumps(
        {"mark": marked.mark, "at_ms": to_ms(marked.at), "seen": marked.seen}, ensure_ascii=False
    )


def refusal_record(refusal: RefusedSend) -> str:
    return json.dumps(
        {
            "at_ms": to_ms(refusal.at),
            "way": refusal.way.name,
            "to_masked": refusal.to_masked,
            "cause": refusal.cause,
            "remedy": refusal.remedy,
            "verification": refusal.verification,
        },
        ensure_ascii=False,
    )


def about_record(session: TestSession) -> str:
    return json.dumps(
        {
            "name": session.name,
            "tester": session.tester,
            "build": session.build,
            "started_ms": to_ms(session.started_at),
        },
        ensure_ascii=False,
    )


def read_session(session_id: str, fields: Mapping[str, str]) -> TestSession | None:
    """The session of a hash; None if there is none."""
    if "about" not in fields:
        return None
    families: dict[str, dict[str, str]] = defaultdict(dict)
    for field, value in fields.items():
        family, _, identifier = field.partition(":")
        families[family][identifier] = value
    about = json.loads(fields["about"])
    ended_ms = fields.get("ended_ms")
    verifications = (
        CollectedVerification(entry, from_ms(at_ms))
        for entry, at_ms in families["verification"].items()
    )
    refusals = (_read_refusal(entry, text) for entry, text in families["refused"].items())
    return TestSession(
        id=session_id,
        name=about["name"],
        tester=about["tester"],
        build=about["build"],
        started_at=from_ms(about["started_ms"]),
        ended_at=from_ms(ended_ms) if ended_ms else None,
        items=_read_items(families),
        verifications=tuple(sorted(verifications, key=lambda entry: (entry.at, entry.id))),
        refusals=tuple(sorted(refusals, key=lambda entry: (entry.at, entry.id))),
    )


def _read_items(families: Mapping[str, Mapping[str, str]]) -> tuple[ChecklistItem, ...]:
    records = {item_id: json.loads(text) for item_id, text in families["item"].items()}
    return tuple(
        ChecklistItem(
            id=item_id,
            title=record["title"],
            expected=record["expected"],
            way=Way[record["way"]] if record["way"] else None,
            ending=record["ending"],
            expected_state=record["expected_state"],
            expected_code=record["expected_code"],
            phone=record["phone"],
            attempt=families["attempt"].get(item_id, ""),
            refusal=families["refusal"].get(item_id, ""),
            marked=_read_mark(families["mark"].get(item_id)),
            note=families["note"].get(item_id, ""),
        )
        for item_id, record in sorted(
            records.items(), key=lambda pair: (pair[1]["position"], pair[0])
        )
    )


def _read_mark(text: str | None) -> ItemMark | None:
    if text is None:
        return None
    record = json.loads(text)
    return ItemMark(Mark(record["mark"]), from_ms(record["at_ms"]), record["seen"])


def _read_refusal(refusal_id: str, text: str) -> RefusedSend:
    record: dict[str, Any] = json.loads(text)
    return RefusedSend(
        id=refusal_id,
        at=from_ms(record["at_ms"]),
        way=Way[record["way"]],
        to_masked=record["to_masked"],
        cause=record["cause"],
        remedy=record["remedy"],
        verification=record["verification"],
    )
