"""Invites: links that let people send a limited number of codes without the operator's password.

A link holds the invite's id and a signature, so ids cannot be guessed. Limits, end and revocation
are in Redis. Its sends are a budget: `verification` spends it in the step that writes the attempt.
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
#: Limits of one invite.
MAX_SENDS, MAX_LIFETIME = 1000, timedelta(days=90)
#: How long an invite stays listed after its end.
RETENTION = timedelta(days=30)
MAX_LABEL_LENGTH = 60
MAX_INVITES = 500
_REGION = re.compile(r"[A-Z]{2}")


class InviteState(StrEnum):
    """Whether an invite can be used, or why not."""

    VALID = "valid"
    USED_UP = "used-up"
    ENDED = "ended"
    REVOKED = "revoked"
    FORGED = "forged"


#: Cause and remedy of each state that refuses.
REFUSALS = {
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
    """What the operator allowed, and how much is used. Moments are aware, in UTC.

    `countries` are ISO codes; empty: all countries that COUNTRIES allows.
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
        """What a person with this invite may do. A used-up or ended invite can still finish
        verifications that were started with it; a revoked invite allows nothing."""
        state = self.state(now)
        return Grant(
            owner="" if state is InviteState.REVOKED else f"invite {self.id}",
            refusal=REFUSALS.get(state),
            countries=self.countries or None,
            allowance=Allowance(self.id, self.sends, _retention(self)),
        )


class Invites:
    """Creates, lists, revokes and recognises invites. Every method raises StoreUnavailable."""

    def __init__(self, client: Client, keys: Keys, keyring: Keyring, clock: Clock) -> None:
        self._client = client
        self._keys = keys
        self._clock = clock
        self._signer = Signer(keyring.signing_key("invite"), sep=".", salt="invite")

    def make(
        self, label: str, *, sends: int, ends_at: datetime, countries: Iterable[str] = ()
    ) -> Invite:
        """Create an invite. Raises InviteRefused for an invalid label, limit, end or country."""
        now, label, regions = self._clock.now(), label.strip(), frozenset(countries)
        if not 0 < len(label) <= MAX_LABEL_LENGTH or not label.isprintable():
            raise InviteRefused(
                f"An invite needs a label of 1 to {MAX_LABEL_LENGTH} characters.",
                "Name the person or the meeting that it is for.",
            )
        if not 1 <= sends <= MAX_SENDS:
            raise InviteRefused(f"An invite allows 1 to {MAX_SENDS:,} sends.", "Choose a number.")
        if not now < ends_at <= now + MAX_LIFETIME:
            raise InviteRefused(
                f"An invite ends within {MAX_LIFETIME.days} days, and not in the past.",
                "Choose another end.",
            )
        if wrong := sorted(code for code in regions if not _REGION.fullmatch(code)):
            raise InviteRefused(f"{wrong[0][:8]!r} is not a country code.", "Use codes such as US.")
        invite = Invite(_new_id(), label, regions, sends, now, ends_at)
        listed = self.all()
        expired = [each.id for each in listed if now >= each.ends_at + RETENTION]
        if len(listed) - len(expired) >= MAX_INVITES:
            raise InviteRefused(
                f"There are {MAX_INVITES} invites already.",
                f"An invite leaves the list {RETENTION.days} days after its end.",
            )
        self._write(invite, expired)
        return invite

    def all(self) -> list[Invite]:
        """All listed invites with their use, the newest first."""
        records = self._client.hgetall(self._keys.invites)
        invites = self._with_use([_read(name, record) for name, record in records.items()])
        return sorted(invites, key=lambda invite: (invite.made_at, invite.id), reverse=True)

    def revoke(self, invite_id: str) -> bool:
        """End an invite at once; False if there is no invite with that id."""
        invite = self._find(invite_id)
        if invite is None:
            return False
        if invite.revoked_at is None:
            self._write(invite, [], revoked_at=self._clock.now())
        return True

    def token(self, invite: Invite) -> str:
        """The last part of the invite's link."""
        return self._signer.sign(invite.id).decode()

    def recognise(self, token: str) -> tuple[InviteState, Invite | None]:
        """The state of the token of a link or a cookie, and its invite if there is one."""
        try:
            invite_id = self._signer.unsign(token).decode()
        except BadSignature:
            return InviteState.FORGED, None
        invite = self._find(invite_id)
        if invite is None:  # the signature is ours, and the record is no longer kept
            return InviteState.ENDED, None
        return invite.state(self._clock.now()), invite

    def grant(self, state: InviteState, invite: Invite | None) -> Grant:
        """What a person may do, from the result of `recognise`."""
        if invite is None:
            return Grant("", refusal=REFUSALS[state])
        return invite.grant(self._clock.now())

    def _find(self, invite_id: str) -> Invite | None:
        (record,) = self._client.hmget(self._keys.invites, invite_id)
        return self._with_use([_read(invite_id, record)])[0] if record else None

    def _with_use(self, invites: list[Invite]) -> list[Invite]:
        with self._client.pipeline(transaction=False) as pipe:
            for invite in invites:
                key = self._keys.sends("invite", invite.id)
                pipe.llen(key)
                pipe.lindex(key, 0)
            answers = pipe.execute()
        return [
            _used(invite, int(length), newest)
            for invite, length, newest in zip(invites, answers[::2], answers[1::2], strict=True)
        ]

    def _write(
        self, invite: Invite, expired: list[str], revoked_at: datetime | None = None
    ) -> None:
        record = {
            "label": invite.label,
            "countries": sorted(invite.countries),
            "sends": invite.sends,
            "made_ms": to_ms(invite.made_at),
            "ends_ms": to_ms(invite.ends_at),
            "revoked_ms": to_ms(revoked_at) if revoked_at else None,
        }
        with self._client.pipeline() as pipe:
            if expired:
                pipe.hdel(self._keys.invites, *expired)
            pipe.hset(self._keys.invites, invite.id, json.dumps(record))
            # Every key has a TTL. This one is longer than the life of any invite in it.
            pipe.expire(self._keys.invites, MAX_LIFETIME + RETENTION + timedelta(days=1))
            pipe.execute()


def _retention(invite: Invite) -> timedelta:
    """How long a send counts: as long as the invite is listed, so that no send is given back."""
    return invite.ends_at - invite.made_at + RETENTION


def _used(invite: Invite, used: int, newest: str | None) -> Invite:
    last = from_ms(newest.partition(":")[0]) if newest else None
    return replace(invite, used=used, last_used_at=last)


def _read(invite_id: str, record: str) -> Invite:
    fields = json.loads(record)
    revoked_ms = fields["revoked_ms"]
    return Invite(
        id=invite_id,
        label=fields["label"],
        countries=frozenset(fields["countries"]),
        sends=fields["sends"],
        made_at=from_ms(fields["made_ms"]),
        ends_at=from_ms(fields["ends_ms"]),
        revoked_at=from_ms(revoked_ms) if revoked_ms else None,
    )


def _new_id() -> str:
    return base64.b32encode(secrets.token_bytes(10)).decode().lower()
