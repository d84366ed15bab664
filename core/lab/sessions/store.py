"""Stores test sessions in Redis. Every change is atomic, and several testers may change a session
at the same time."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from core.lab.sessions.line import UnshownCharacter, single_line
from core.lab.sessions.model import ChecklistItem, ItemMark, Mark, RefusedSend, TestSession
from core.lab.sessions.records import (
    ITEM_FIELDS,
    about_record,
    item_record,
    mark_record,
    read_session,
    refusal_record,
)
from core.model.clock import Clock, duration_ms, from_ms, to_ms
from core.model.errors import SessionRefused
from core.settings.keyring import new_id
from core.store.client import Client
from core.store.keys import Keys
from core.store.scripts import Scripts

#: How long a session is kept after its last change.
RETENTION = timedelta(days=90)
#: The longest texts of a session, in characters.
MAX_NAME, MAX_LINE, MAX_NOTE = 80, 200, 2000
MAX_SESSIONS, MAX_ITEMS = 500, 500
#: The fields of a session in Redis: its items, verifications and refused sends.
MAX_FIELDS = 6000
#: How much of a text an error quotes.
_BEGINNING = 30

_REFUSALS = {
    "missing": ("This session does not exist, or is no longer kept.", "Choose another session."),
    "ended": ("This session is ended.", "Reopen it to change it."),
    "gone": ("This item was removed.", "Reload the page to see the checklist as it is."),
    "full": ("This session is full.", "Start another session."),
}


class TestSessions:
    """Reads and changes sessions. Every method raises StoreUnavailable; those that change a session
    raise SessionRefused if it does not exist, is ended or is full."""

    #: pytest collects classes with this prefix.
    __test__ = False

    def __init__(self, client: Client, scripts: Scripts, keys: Keys, clock: Clock) -> None:
        self._client = client
        self._scripts = scripts
        self._keys = keys
        self._clock = clock

    def start(self, name: str, tester: str, build: str) -> TestSession:
        """Raises SessionRefused for a text that is missing, too long or not printable."""
        listed = self._client.zrange(self._keys.test_sessions, 0, MAX_SESSIONS)
        # The list may have expired sessions: `newest` removes them.
        if len(listed) >= MAX_SESSIONS and len(self.newest(MAX_SESSIONS)) >= MAX_SESSIONS:
            raise SessionRefused(f"There are {MAX_SESSIONS} sessions.", "Delete old sessions.")
        session = TestSession(
            id=new_id(),
            name=checked_text(name, "A session needs a name", MAX_NAME),
            tester=checked_text(tester, "A session needs a tester", MAX_NAME),
            build=checked_text(build, "A session needs the build under test", MAX_NAME),
            started_at=from_ms(to_ms(self._clock.now())),
        )
        fields = {"about": about_record(session)}
        self._write(session.id, fields, starts=True, started_ms=to_ms(session.started_at))
        return session

    def find(self, session_id: str) -> TestSession | None:
        """None if it does not exist, or is no longer kept."""
        return read_session(session_id, self._client.hgetall(self._keys.test_session(session_id)))

    def newest(self, count: int) -> list[TestSession]:
        """The newest sessions, the newest first. Those that have expired leave the list."""
        listed = self._keys.test_sessions
        ids = self._client.zrevrange(listed, 0, count - 1)
        with self._client.pipeline(transaction=False) as pipe:
            for session_id in ids:
                pipe.hgetall(self._keys.test_session(session_id))
            records = pipe.execute()
        sessions = [read_session(*pair) for pair in zip(ids, records, strict=True)]
        expired = [
            session_id for session_id, session in zip(ids, sessions, strict=True) if session is None
        ]
        if expired:
            self._client.zrem(listed, *expired)
        return [session for session in sessions if session]

    def end(self, session_id: str) -> None:
        """End a session: it collects nothing more, and its marks cannot be changed."""
        self._write(session_id, {"ended_ms": str(to_ms(self._clock.now()))}, most=None)

    def reopen(self, session_id: str) -> None:
        self._write(session_id, {}, removed=["ended_ms"], reopens=True)

    def delete(self, session_id: str) -> None:
        """Remove a session with its marks and notes. The verifications stay."""
        with self._client.pipeline() as pipe:
            pipe.unlink(self._keys.test_session(session_id))
            pipe.zrem(self._keys.test_sessions, session_id)
            pipe.publish(self._keys.changes, session_id)
            pipe.execute()

    def add_items(self, session_id: str, items: Sequence[ChecklistItem]) -> list[ChecklistItem]:
        """Append items; they get ids here. Raises SessionRefused for an unfit title or too many."""
        session = self.find(session_id)
        if session and len(session.items) + len(items) > MAX_ITEMS:
            raise SessionRefused(
                f"A checklist has at most {MAX_ITEMS} items, and this would be "
                f"{len(session.items) + len(items)}.",
                "Choose fewer items, or start another session.",
            )
        now_ms = to_ms(self._clock.now())
        added = [
            replace(
                item,
                id=secrets.token_hex(5),
                title=checked_text(item.title, "An item needs a text", MAX_LINE),
                expected=checked_text(item.expected, "What is expected needs a text", MAX_LINE)
                if item.expected
                else "",
            )
            for item in items
        ]
        fields = {
            f"item:{item.id}": item_record(item, (now_ms, number))
            for number, item in enumerate(added)
        }
        links = [link for item in added for link in _link(item)]
        if fields:
            self._write(session_id, fields | dict(links))
        return added

    def remove_item(self, session_id: str, item_id: str) -> None:
        """Remove an item with its mark and note. What it was seen on stays collected."""
        removed = [f"{family}:{item_id}" for family in ITEM_FIELDS]
        self._write(session_id, {}, removed=removed)

    def mark(self, session_id: str, item_id: str, mark: Mark | None, seen: str = "") -> None:
        """Set the mark of an item, with what is seen now in words; None removes the mark."""
        field = f"mark:{item_id}"
        requires = f"item:{item_id}"
        if mark is None:
            self._write(session_id, {}, removed=[field], requires=requires)
            return
        record = mark_record(ItemMark(mark, self._clock.now(), seen))
        self._write(session_id, {field: record}, requires=requires)

    def write_note(self, session_id: str, item_id: str, note: str) -> None:
        """Raises SessionRefused for a note that is too long."""
        note = note.strip()
        if len(note) > MAX_NOTE:
            raise SessionRefused(
                f"A note has at most {MAX_NOTE:,} characters, and this has {len(note):,}.",
                "Shorten it, or keep the rest elsewhere.",
            )
        field, requires = f"note:{item_id}", f"item:{item_id}"
        if note:
            self._write(session_id, {field: note}, requires=requires)
        else:
            self._write(session_id, {}, removed=[field], requires=requires)

    def assign(
        self, session_id: str, item_id: str, *, attempt: str = "", refusal: str = ""
    ) -> None:
        """Set what an item was seen on: an attempt or a refused send; neither removes it."""
        links = _link(ChecklistItem(item_id, "", attempt=attempt, refusal=refusal))
        removed = {f"attempt:{item_id}", f"refusal:{item_id}"} - dict(links).keys()
        self._write(session_id, dict(links), removed=removed, requires=f"item:{item_id}")

    def collect(self, session_id: str, verification: str, item_id: str = "") -> None:
        """Add a verification, once; the item was then seen on its first attempt."""
        field = f"verification:{verification}"
        (collected,) = self._client.hmget(self._keys.test_session(session_id), field)
        fields = {} if collected else {field: str(to_ms(self._clock.now()))}
        self._collect(session_id, fields, item_id, attempt=f"{verification}-1")

    def collect_refusal(
        self, session_id: str, refusal: RefusedSend, item_id: str = ""
    ) -> RefusedSend:
        """Add a refused send, which gets its id here; the item was then seen on it."""
        kept = replace(refusal, id=secrets.token_hex(8))
        fields = {f"refused:{kept.id}": refusal_record(kept)}
        self._collect(session_id, fields, item_id, refusal=kept.id)
        return kept

    def _collect(
        self, session_id: str, fields: dict[str, str], item_id: str, **seen_on: str
    ) -> None:
        self._write(session_id, fields)
        if not item_id:
            return
        try:
            self.assign(session_id, item_id, **seen_on)
        except SessionRefused:
            # Another tester removed the item: the verification stays collected, in no item.
            return

    def _write(
        self,
        session_id: str,
        fields: dict[str, str],
        *,
        removed: Iterable[str] = (),
        requires: str | None = None,
        starts: bool | None = None,
        reopens: bool | None = None,
        started_ms: int | None = None,
        most: int | None = MAX_FIELDS,
    ) -> None:
        reply = self._scripts.run(
            "write_test_session",
            [self._keys.test_session(session_id), self._keys.test_sessions],
            {
                "id": session_id,
                "fields": fields or None,
                "removed": list(removed),
                "requires": requires,
                "starts": starts,
                "reopens": reopens,
                "started_ms": started_ms,
                "keep_ms": duration_ms(RETENTION),
                "most": most,
                "changes": self._keys.changes,
            },
        )
        if refusal := _REFUSALS.get(reply):
            raise SessionRefused(*refusal)


def checked_text(text: str, missing: str, longest: int) -> str:
    """The text in one line. Raises SessionRefused if it is empty, too long or cannot be shown;
    `missing` is the sentence for an empty one, without its end."""
    try:
        text = single_line(text)
    except UnshownCharacter as error:
        raise SessionRefused(
            f"“{_beginning(text)}” has a character that cannot be shown ({error}).",
            "Remove it, or type the text instead of pasting it.",
        ) from error
    if not text:
        raise SessionRefused(f"{missing}.", f"Write 1 to {longest} characters.")
    if len(text) > longest:
        raise SessionRefused(
            f"“{_beginning(text)}” has {len(text):,} characters, and {longest} are possible here.",
            "Shorten it.",
        )
    return text


def _beginning(text: str) -> str:
    """The start of a text, to find it by; without what cannot be shown."""
    beginning = "".join(each for each in text[:_BEGINNING] if each.isprintable())
    return f"{beginning}…" if len(text) > _BEGINNING else beginning


def _link(item: ChecklistItem) -> list[tuple[str, str]]:
    """The fields for what an item was seen on."""
    links = {"attempt": item.attempt, "refusal": item.refusal}
    return [(f"{name}:{item.id}", value) for name, value in links.items() if value]
