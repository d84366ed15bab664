"""Sends callbacks to the product, retries them, and keeps a log of both.

Source of the retries: Plivo's pages on message callbacks (60, 120, 240 s) and on voice URLs (one
retry; the delay is not documented, one second is our choice).
"""

import json
import logging
import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.sandbox.clock import SandboxClock
from core.sandbox.facts.effects import Aspect, EffectKind, EffectPlan
from core.sandbox.facts.moments import iso_utc
from core.sandbox.outgoing import Outgoing
from core.sandbox.schedule import Job, Payload, Schedule
from core.sandbox.storage import Storage

log = logging.getLogger(__name__)

MESSAGE_RETRIES = (60.0, 120.0, 240.0)
VOICE_RETRIES = (1.0,)
#: How long the receiver may take to answer, in real seconds. Plivo does not document it.
_TIMEOUT_SECONDS = 5.0


class CallbackEvent(StrEnum):
    """What a callback reports."""

    MESSAGE = "message"
    RING = "ring"
    HANGUP = "hangup"


class CallbackState(StrEnum):
    """State of a callback."""

    PENDING = "pending"
    HELD = "held"  # out of order: sent after the last callback of its message or call
    LOST = "lost"  # never sent: the plan of its message or call asks for that
    DELIVERED = "delivered"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class Notice:
    """A callback to send. `last`: it is the final callback of its message or call.

    `forged_fields` replace fields of `form` in a forged copy.
    """

    reference: str
    event: CallbackEvent
    url: str = field(repr=False)
    method: str
    form: dict[str, str]
    last: bool
    forged_fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CallbackDelivery:
    """A row of the table `callbacks`; `form` is JSON."""

    callback_id: str
    reference: str
    event: str
    url: str = field(repr=False)
    method: str
    form: str
    state: str
    forged: bool
    created_at: float


class Callbacks:
    """Queues and sends callbacks as the plan of their message or call requires."""

    def __init__(
        self,
        storage: Storage,
        schedule: Schedule,
        clock: SandboxClock,
        outgoing: Outgoing,
    ) -> None:
        self._storage = storage
        self._schedule = schedule
        self._clock = clock
        self._outgoing = outgoing
        schedule.register(Job.CALLBACK, self._post)

    def add(self, notice: Notice, plan: EffectPlan, after: float = 0.0) -> None:
        """Queue `notice` within the caller's transaction, to be sent `after` simulated seconds.
        Does nothing if it has no URL."""
        if not notice.url:
            return
        kind = plan.kind(Aspect.CALLBACKS)
        if kind is EffectKind.CALLBACKS_LOST:
            self._save(notice, CallbackState.LOST)
        elif kind is EffectKind.CALLBACKS_OUT_OF_ORDER and not notice.last:
            self._save(notice, CallbackState.HELD)
        else:
            if kind is EffectKind.CALLBACKS_FORGED and notice.last:
                self._save(notice, CallbackState.PENDING, after, forged=True)
            self._save(notice, CallbackState.PENDING, after)
            if kind is EffectKind.CALLBACKS_DOUBLED:
                self._save(notice, CallbackState.PENDING, after)
            if notice.last:
                self._release(notice.reference, after)

    def log(self, reference: str | None) -> list[dict[str, Any]]:
        """Callbacks with their attempts, oldest first; those of one message or call if given."""
        callbacks = self._storage.rows(
            "SELECT * FROM callbacks WHERE :reference IS NULL OR reference = :reference"
            " ORDER BY rowid",
            reference=reference,
        )
        return [
            {
                "callback_id": row["callback_id"],
                "reference": row["reference"],
                "event": row["event"],
                "url": row["url"],
                "method": row["method"],
                "form": json.loads(row["form"]),
                "state": row["state"],
                "forged": bool(row["forged"]),
                "created_at": iso_utc(row["created_at"]),
                "attempts": self._attempts(row["callback_id"]),
                "problems": self._problems(row["reference"]),
            }
            for row in callbacks
        ]

    def _save(
        self, notice: Notice, state: CallbackState, after: float = 0.0, *, forged: bool = False
    ) -> None:
        form = {**notice.form, **notice.forged_fields} if forged else notice.form
        callback = CallbackDelivery(
            callback_id=str(uuid.uuid4()),
            reference=notice.reference,
            event=notice.event,
            url=notice.url,
            method=notice.method,
            form=json.dumps(form),
            state=state,
            forged=forged,
            created_at=self._clock.now(),
        )
        self._storage.save("callbacks", callback)
        if state is CallbackState.PENDING:
            self._queue(callback.callback_id, notice.reference, after)

    def _release(self, reference: str, after: float) -> None:
        rows = self._storage.rows(
            "SELECT callback_id FROM callbacks"
            " WHERE reference = :reference AND state = 'held' ORDER BY rowid",
            reference=reference,
        )
        for row in rows:
            self._set_state(row["callback_id"], CallbackState.PENDING)
            self._queue(row["callback_id"], reference, after)

    def _queue(self, callback_id: str, reference: str, after: float) -> None:
        # One lane for each message or call: its callbacks are sent one after another. A retry is a
        # later job, so it delays no other callback.
        lane = f"callback:{reference}"
        self._schedule.add(Job.CALLBACK, lane, after, callback_id=callback_id)

    async def _post(self, payload: Payload) -> None:
        row = self._storage.row(
            "SELECT * FROM callbacks WHERE callback_id = :callback_id", **payload
        )
        if row is None or row["state"] != CallbackState.PENDING:
            return
        reply = await self._outgoing.send(
            row["method"],
            row["url"],
            json.loads(row["form"]),
            seconds=_TIMEOUT_SECONDS,
            token=secrets.token_hex() if row["forged"] else None,
        )
        with self._storage.transaction():
            self._storage.run(
                "INSERT INTO callback_attempts VALUES (:id, :at, :status, :problem)",
                id=row["callback_id"],
                at=self._clock.now(),
                status=reply.status,
                problem=reply.problem,
            )
            if reply.ok:
                self._set_state(row["callback_id"], CallbackState.DELIVERED)
            else:
                self._retry(row["callback_id"], row["reference"], row["event"], row["forged"])

    def _retry(self, callback_id: str, reference: str, event: str, forged: bool) -> None:
        attempts = len(self._attempts(callback_id))
        delays = MESSAGE_RETRIES if event == CallbackEvent.MESSAGE else VOICE_RETRIES
        if forged or attempts > len(delays):
            self._set_state(callback_id, CallbackState.GIVEN_UP)
            log.info("callback given up", extra={"reference": reference, "attempts": attempts})
        else:
            self._queue(callback_id, reference, delays[attempts - 1])

    def _attempts(self, callback_id: str) -> list[dict[str, Any]]:
        rows = self._storage.rows(
            "SELECT at, status, problem FROM callback_attempts"
            " WHERE callback_id = :callback_id ORDER BY rowid",
            callback_id=callback_id,
        )
        return [
            {"at": iso_utc(row["at"]), "status": row["status"], "problem": row["problem"]}
            for row in rows
        ]

    def _problems(self, reference: str) -> list[str]:
        """What could not be played in the call."""
        rows = self._storage.rows(
            "SELECT text FROM transcript WHERE call_uuid = :reference AND kind = 'problem'"
            " ORDER BY rowid",
            reference=reference,
        )
        return [row["text"] for row in rows]

    def _set_state(self, callback_id: str, state: CallbackState) -> None:
        self._storage.run(
            "UPDATE callbacks SET state = :state WHERE callback_id = :callback_id",
            state=state.value,
            callback_id=callback_id,
        )
