"""Invites: their limits, their states, and links that cannot be forged."""

from datetime import timedelta

import pytest

from core.access.invites import (
    MAX_LIFETIME,
    MAX_SENDS,
    REFUSALS,
    RETENTION,
    Invite,
    Invites,
    InviteState,
)
from core.model.errors import InviteRefused
from tests.world import World


def made(at: World, **more: object) -> Invite:
    chosen = {"sends": 2, "ends_at": at.clock.now() + timedelta(hours=1), **more}
    return at.services.invites.make("A demo", **chosen)  # type: ignore[arg-type]


def state(at: World, token: str) -> InviteState:
    return at.services.invites.recognise(token)[0]


def test_an_invite_is_recognised_by_its_link_until_its_end(at: World) -> None:
    invites = at.services.invites
    token = invites.token(made(at))
    assert state(at, token) is InviteState.VALID
    at.clock.advance(3601)
    assert state(at, token) is InviteState.ENDED


def test_a_revoked_invite_is_revoked_at_once_also_for_another_process(at: World) -> None:
    s = at.services
    invite = made(at)
    other = Invites(s.client, s.keys, s.keyring, at.clock)
    assert other.recognise(s.invites.token(invite))[0] is InviteState.VALID
    assert s.invites.revoke(invite.id)
    assert other.recognise(s.invites.token(invite))[0] is InviteState.REVOKED
    assert not s.invites.revoke("another")


def test_no_other_text_is_an_invite(at: World) -> None:
    token = at.services.invites.token(made(at))
    body, _, signature = token.rpartition(".")
    other = at.services.invites.token(made(at)).rpartition(".")[0]
    for forged in ("", ".", body, f"{other}.{signature}", f"{body}.{signature[:-1]}", token + "x",
                   "é.ü", "x" * 10_000, f"{body}.{signature}.{signature}"):  # fmt: skip
        assert state(at, forged) is InviteState.FORGED


def test_an_invite_of_another_key_is_forged(at: World) -> None:
    from core.settings.keyring import Keyring

    s = at.services
    theirs = Invites(s.client, s.keys, Keyring(b"another key of 32 characters, at least"), at.clock)
    assert state(at, theirs.token(made(at))) is InviteState.FORGED


@pytest.mark.parametrize(
    ("label", "sends", "ends_in", "countries"),
    [
        ("", 1, timedelta(hours=1), ()),
        ("  ", 1, timedelta(hours=1), ()),
        ("two\nlines", 1, timedelta(hours=1), ()),
        ("x" * 61, 1, timedelta(hours=1), ()),
        ("ok", 0, timedelta(hours=1), ()),
        ("ok", MAX_SENDS + 1, timedelta(hours=1), ()),
        ("ok", 1, timedelta(), ()),
        ("ok", 1, -timedelta(hours=1), ()),
        ("ok", 1, MAX_LIFETIME + timedelta(minutes=1), ()),
        ("ok", 1, timedelta(hours=1), ("us",)),
        ("ok", 1, timedelta(hours=1), ("USA",)),
    ],
)
def test_an_invalid_invite_is_refused_and_not_stored(
    at: World, label: str, sends: int, ends_in: timedelta, countries: tuple[str, ...]
) -> None:
    ends_at = at.clock.now() + ends_in
    with pytest.raises(InviteRefused) as refused:
        at.services.invites.make(label, sends=sends, ends_at=ends_at, countries=countries)
    assert refused.value.cause
    assert refused.value.remedy
    assert at.services.invites.all() == []


def test_a_new_invite_removes_ended_invites_from_the_list(at: World) -> None:
    old = made(at)
    at.clock.advance(timedelta(hours=1) + RETENTION - timedelta(seconds=5))
    assert [one.id for one in at.services.invites.all()] == [old.id]
    at.clock.advance(10)
    new = made(at)
    assert [one.id for one in at.services.invites.all()] == [new.id]


def test_every_state_of_an_invite_has_a_text_of_its_own() -> None:
    assert set(REFUSALS) == set(InviteState) - {InviteState.VALID}
    assert len({cause for cause, _ in REFUSALS.values()}) == len(REFUSALS)


def test_the_stored_record_of_an_invite_gives_no_access(at: World) -> None:
    invite = made(at)
    signature = at.services.invites.token(invite).rpartition(".")[2]
    for key in at.services.client.scan_iter():
        assert signature not in key
    assert signature not in repr(at.services.client.hgetall(at.services.keys.invites))
