"""Invites in words: for the Access page, and for the bearer of one."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.access.invites import Invite, InviteState
from core.model.regions import country_of
from core.wording.formats import counted

STATES = {
    InviteState.VALID: "● valid",
    InviteState.USED_UP: "■ used up",
    InviteState.ENDED: "✕ ended",
    InviteState.REVOKED: "✕ revoked",
}


def invite_words(invite: Invite, zone: ZoneInfo) -> str:
    """ "Invite "Demo": 3 of 5 sends left, until 27 Nov 12:00, to France and Germany."."""
    left = max(0, invite.sends - invite.used)
    return (
        f'Invite "{invite.label}": {left} of {counted(invite.sends, "send")} left, until '
        f"{_time(invite.ends_at, zone)}, to {_countries(invite)}."
    )


def invite_table(invites: Sequence[Invite], now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """`label`, `state`, `sends` used, `countries`, `ends`, `last` use; in the order given."""
    rows = [
        (
            invite.label,
            STATES[invite.state(now)],
            f"{invite.used} of {invite.sends}",
            _countries(invite),
            _time(invite.ends_at, zone),
            _time(invite.last_used_at, zone) if invite.last_used_at else "never",
        )
        for invite in invites
    ]
    return pd.DataFrame(rows, columns=["label", "state", "sends", "countries", "ends", "last"])


def _countries(invite: Invite) -> str:
    names = sorted(country_of(region) for region in invite.countries)
    if not names:
        return "all allowed countries"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _time(moment: datetime, zone: ZoneInfo) -> str:
    return f"{moment.astimezone(zone):%d %b %H:%M}"
