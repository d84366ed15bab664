"""Invites: links that let people send a limited number of codes without the operator's password.

A link carries the invite's id and a signature, so that ids cannot be tried out. What it allows, its
end and its revocation are in Redis. Its sends are a budget like the others: `verification` spends
them in the step that writes the attempt.
"""

import base64
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from itsdangerous import BadSignature, Signer

from core.model.clock import Clock, from_ms, to_ms
from core.model.errors import InviteRefused
from core.model.grant import NO_SENDS_LEFT, Allowance, Grant
from core.settings.keyring import Keyring
from core.store.client import Client
from core.store.keys import Keys

COOKIE = "invite"
#: How many sends an invite may have, and how long it may last.
MOST_SENDS, LONGEST = 1000, timedelta(days=90)
#: How long an invite stays in the list after its end.
KEPT = timedelta(days=30)
LONGEST_LABEL = 60
MOST_LISTED = 500
_REGION = re.compile(r"[A-Z]{2}")


class InviteState(StrEnum):
    """Whether an invite can be used, or why not."""

    VALID = "valid"
    USED_UP = "used-up"
    ENDED = "ended"
    REVOKED = "revoked"
    FORGED = "forged"


#: By state: cause and remedy.
WORDS = {
    InviteState.USED_UP: NO_SENDS_LEFT,
    InviteState.ENDED: (
        "This invite has ended.",
        "Ask the person who gave you the link for a new one.",
    ),
    InviteState.REVOKED: (
        "This invite was revoked.",
        "Ask the person who gave you the link whether you may have a new one.",
    ),
    InviteState.FORGED: (
        "This is not a valid invite link.",
        "Check that you copied the whole link, or ask for it again.",
    ),
}


@dataclass(frozen=True, slots=True)
class Invite:
    """What the operator allowed, and what was used of it. Moments are aware, in UTC.

    `countries` are ISO codes; empty: all that COUNTRIES allows.
    """

    id: str
    label: str
    countries: frozenset[str]
    sends: int
    made_at: datetime
    ends_at: datetime
    revoked_at: datetime | None = None
    used: int = 0
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> InviteState:
        if self.revoked_at is not None:
            return InviteState.REVOKED
        if now >= self.ends_at:
            return InviteState.ENDED
        return InviteState.USED_UP if self.used >= self.sends else InviteState.VALID

    def grant(self, now: datetime) -> Grant:
        """What its bearer may do. A used or ended invite still lets people finish what they have
        started with it; a revoked one lets them do nothing."""
        state = self.state(now)
        return Grant(
            owner="" if state is InviteState.REVOKED else f"invite {self.id}",
            refusal=WORDS.get(state),
            countries=self.countries or None,
            allowance=Allowance(self.id, self.sends, _kept(self)),
        )


class Invites:
    """Makes, lists, revokes and recognises invites. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, keyring: Keyring, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._signer = Signer(keyring.signing_key("invite"), sep=".", salt="invite")

    def make(
        self, label: str, *, sends: int, ends_at: datetime, countries: Iterable[str] = ()
    ) -> Invite:
        """A new invite. Raises InviteRefused for what an invite cannot be."""
        now, label, regions = self._clock.now(), label.strip(), frozenset(countries)
        if not 0 < len(label) <= LONGEST_LABEL or not label.isprintable():
            raise InviteRefused(
                f"An invite needs a label of 1 to {LONGEST_LABEL} characters.",
                "Name the person or the meeting that it is for.",
            )
        if not 1 <= sends <= MOST_SENDS:
            raise InviteRefused(f"An invite allows 1 to {MOST_SENDS:,} sends.", "Choose a number.")
        if not now < ends_at <= now + LONGEST:
            raise InviteRefused(
                f"An invite ends within {LONGEST.days} days, and not in the past.",
                "Choose another end.",
            )
        if wrong := sorted(one for one in regions if not _REGION.fullmatch(one)):
            raise InviteRefused(f"{wrong[0][:8]!r} is no country code.", "Use codes such as US.")
        made = Invite(_new_id(), label, regions, sends, now, ends_at)
        every = self.all()
        gone = [one.id for one in every if now >= one.ends_at + KEPT]
        if len(every) - len(gone) >= MOST_LISTED:
            raise InviteRefused(
                f"There are {MOST_LISTED} invites already.",
                f"One leaves the list {KEPT.days} days after its end.",
            )
        self._write(made, gone)
        return made

    def all(self) -> list[Invite]:
        """Every invite that is kept, the newest first, with its use."""
        kept = self._client.hgetall(self._keys.invites)
        found = self._with_use([_read(one, said) for one, said in kept.items()])
        return sorted(found, key=lambda one: (one.made_at, one.id), reverse=True)

    def revoke(self, invite: str) -> bool:
        """End an invite at once; False when there is none of that id."""
        found = self._find(invite)
        if found is None:
            return False
        if found.revoked_at is None:
            self._write(found, [], revoked_at=self._clock.now())
        return True

    def token(self, invite: Invite) -> str:
        """The last part of its link."""
        return self._signer.sign(invite.id).decode()

    def recognise(self, token: str) -> tuple[InviteState, Invite | None]:
        """The state of what a link or a cookie holds, and the invite where there is one."""
        try:
            invite = self._signer.unsign(token).decode()
        except BadSignature:
            return InviteState.FORGED, None
        found = self._find(invite)
        if found is None:  # it was ours, and is no longer kept
            return InviteState.ENDED, None
        return found.state(self._clock.now()), found

    def grant(self, state: InviteState, invite: Invite | None) -> Grant:
        """What the bearer of what was recognised may do."""
        if invite is None:
            return Grant("", refusal=WORDS[state])
        return invite.grant(self._clock.now())

    def _find(self, invite: str) -> Invite | None:
        (said,) = self._client.hmget(self._keys.invites, invite)
        return self._with_use([_read(invite, said)])[0] if said else None

    def _with_use(self, invites: list[Invite]) -> list[Invite]:
        with self._client.pipeline(transaction=False) as pipe:
            for one in invites:
                key = self._keys.sends("invite", one.id)
                pipe.llen(key)
                pipe.lindex(key, 0)
            answers = pipe.execute()
        return [
            _used(one, int(length), newest)
            for one, length, newest in zip(invites, answers[::2], answers[1::2], strict=True)
        ]

    def _write(self, one: Invite, gone: list[str], revoked_at: datetime | None = None) -> None:
        said = {
            "label": one.label,
            "countries": sorted(one.countries),
            "sends": one.sends,
            "made_ms": to_ms(one.made_at),
            "ends_ms": to_ms(one.ends_at),
            "revoked_ms": to_ms(revoked_at) if revoked_at else None,
        }
        with self._client.pipeline() as pipe:
            if gone:
                pipe.hdel(self._keys.invites, *gone)
            pipe.hset(self._keys.invites, one.id, json.dumps(said))
            # Every key has a TTL: this one outlives each invite in it.
            pipe.expire(self._keys.invites, LONGEST + KEPT + timedelta(days=1))
            pipe.execute()


def _kept(invite: Invite) -> timedelta:
    """How long a send counts: as long as the invite is listed, so that none of them comes back."""
    return invite.ends_at - invite.made_at + KEPT


def _used(invite: Invite, used: int, newest: str | None) -> Invite:
    last = from_ms(newest.partition(":")[0]) if newest else None
    return replace(invite, used=used, last_used_at=last)


def _read(invite: str, said: str) -> Invite:
    kept = json.loads(said)
    revoked_ms = kept["revoked_ms"]
    return Invite(
        id=invite,
        label=kept["label"],
        countries=frozenset(kept["countries"]),
        sends=kept["sends"],
        made_at=from_ms(kept["made_ms"]),
        ends_at=from_ms(kept["ends_ms"]),
        revoked_at=from_ms(revoked_ms) if revoked_ms else None,
    )


def _new_id() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
