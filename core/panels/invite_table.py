"""The table of invites on the Access page."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import pandas as pd

from core.access.invites import Invite, InviteState
from core.panels.invites import countries_of
from core.wording.formats import day_and_time

STATES = {
    InviteState.VALID: "● valid",
    InviteState.USED_UP: "■ used up",
    InviteState.ENDED: "✕ ended",
    InviteState.REVOKED: "✕ revoked",
}


def invite_table(invites: Sequence[Invite], now: datetime, zone: ZoneInfo) -> pd.DataFrame:
    """`label`, `state`, `sends` used, `countries`, `ends`, `last` use; in the order given."""
    rows = [
        (
            invite.label,
            STATES[invite.state(now)],
            f"{invite.used} of {invite.sends}",
            countries_of(invite),
            day_and_time(invite.ends_at, zone),
            day_and_time(invite.last_used_at, zone) if invite.last_used_at else "never",
        )
        for invite in invites
    ]
    return pd.DataFrame(rows, columns=["label", "state", "sends", "countries", "ends", "last"])
