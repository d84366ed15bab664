"""Invites in words."""

from zoneinfo import ZoneInfo

from core.access.invites import Invite
from core.model.regions import country_of
from core.wording.formats import counted, day_and_time


def invite_words(invite: Invite, zone: ZoneInfo) -> str:
    """ "Invite "Demo": 3 of 5 sends left, until 27 Nov 12:00, to France and Germany."."""
    sends_left = max(0, invite.sends - invite.used)
    return (
        f'Invite "{invite.label}": {sends_left} of {counted(invite.sends, "send")} left, until '
        f"{day_and_time(invite.ends_at, zone)}, to {countries_of(invite)}."
    )


def countries_of(invite: Invite) -> str:
    names = sorted(country_of(region) for region in invite.countries)
    if not names:
        return "all allowed countries"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
