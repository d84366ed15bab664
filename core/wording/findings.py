"""The sentences of a verdict: whether codes arrive, and what is wrong, where and since when."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.figures.receipts import ReceiptHealth
from core.findings.causes import Cause, CauseKind, DeliveryVerdict, Outcome
from core.findings.places import TrafficPlace
from core.wording.formats import (
    counted,
    day_and_time,
    dollars,
    percent,
    traffic_name,
)

#: The causes that a page shows; the others are counted. Alerts take the lines that they leave.
MOST_CAUSES = 3
#: Money below a cent is not worth a word.
_CENT = 0.01
#: A share of fewer codes is given with its counts: one code is a point and more.
_COUNTED_BELOW = 100


def verdict_sentence(
    verdict: DeliveryVerdict, zone: ZoneInfo, now: datetime, alerts: Sequence[str] = ()
) -> str:
    """The whole verdict: "Codes arrive: 97.1 %. Telkomsel in Indonesia loses …". `alerts`: the
    sentences of the alerts that no cause names."""
    causes = [cause_sentence(cause, zone, now) for cause in verdict.causes[:MOST_CAUSES]]
    calm = "" if alerts else calm_words(verdict)
    parts = [headline(verdict), calm, more_words(verdict), *causes, *alerts[: lines_left(verdict)]]
    return " ".join(part for part in parts if part)


def lines_left(verdict: DeliveryVerdict) -> int:
    """How many alerts that no cause names are shown beside the causes."""
    return max(0, MOST_CAUSES - len(verdict.causes))


def headline(verdict: DeliveryVerdict) -> str:
    """ "Codes arrive: 97.1 %."; without a figure where there are too few attempts."""
    if not verdict.requested:
        if not verdict.too_new:
            return "No code was requested in this range."
        return "No code is old enough to be judged yet."
    if verdict.is_too_few:
        return f"Too few codes to judge: {verdict.requested:,} in this range."
    at_least = "at least " if verdict.at_least else ""
    rate, of = verdict.confirmed / verdict.requested, ""
    if verdict.requested < _COUNTED_BELOW:
        of = f" ({verdict.confirmed:,} of {verdict.requested:,})"
    return f"Codes arrive: {at_least}{percent(rate)}{of}."


def calm_words(verdict: DeliveryVerdict) -> str:
    """The sentence for a range without an incident, with what it was compared with, or why no
    incident is named yet; else ""."""
    if verdict.outcome is Outcome.LOADING:
        return "While sample traffic is being loaded or removed, no incident is named."
    if verdict.outcome is not Outcome.CALM:
        return ""
    if not verdict.compared_days:
        n = counted(verdict.requested, "code")
        return f"Of {n} no place stands out; there is no earlier traffic to compare with."
    days = counted(verdict.compared_days, "day")
    n = counted(verdict.requested, "code")
    return f"Nothing differs from the {days} before by more than chance ({n})."


def more_words(verdict: DeliveryVerdict) -> str:
    """How many incidents there are, if more than are named; else ""."""
    n = len(verdict.causes)
    return f"The worst {MOST_CAUSES} of {n} incidents:" if n > MOST_CAUSES else ""


def cause_sentence(cause: Cause, zone: ZoneInfo, now: datetime) -> str:
    """One incident: what, where, how much, since when."""
    when = _when(cause, zone, now)
    where = place_name(cause.place)
    n, k = counted(round(cause.n), "code"), f"{round(cause.k):,}"
    are, come = ("were", "came") if _is_over(cause) else ("are", "come")
    match cause.kind:
        case CauseKind.PUMPING:
            new = ", where none was sent before" if cause.is_new else ""
            entered = f"{cause.converted:,} entered" if cause.converted else "none entered"
            return (
                f"{where} {_loses(cause)} {when}; looks like pumping: "
                f"{counted(cause.requested, 'code')}{new}, {entered}."
            )
        case CauseKind.LOSES:
            usual = percent(cause.usual)
            what = "not entered" if cause.is_conversion else "not delivered"
            if not cause.lost:
                return (
                    f"{where} {_verb(cause, 'fails')} {when}: {k} of {n} {what}, usually {usual}."
                )
            return f"{where} {_loses(cause)} {when}: {percent(cause.rate)} {what}, usually {usual}."
        case CauseKind.UNCLEAR:
            return (
                f"{where}: Plivo gave no clear answer to {k} of {counted(round(cause.n), 'send')} "
                f"{when} (429, 5xx or none){_loss(cause)}."
            )
        case CauseKind.SLOW:
            in_time, before = percent(1 - cause.rate), percent(1 - cause.usual)
            return (
                f"{where} {_verb(cause, 'is')} slow {when}: {in_time} of {n} within "
                f"{cause.seconds} s, usually {before}{_loss(cause)}."
            )
        case CauseKind.RECEIPTS_SILENT:
            return f"{where}: no receipts {when} ({k} missing), but codes {are} entered."
        case CauseKind.RECEIPTS_LATE:
            return (
                f"{where}: receipts {are} late {when}; most codes {are} entered before they {come}."
            )
        case CauseKind.RECEIPTS_UNTRUSTED:
            return (
                f"{where}: receipts {are} not to be trusted {when}; codes {are} entered without "
                "them."
            )
        case CauseKind.PRICE:
            times = f"{cause.rate / cause.usual:.1f}".removesuffix(".0")
            return (
                f"{where} {_verb(cause, 'costs')} {times} times as much {when}: "
                f"{dollars(cause.rate)} each, {dollars(cause.usual)} before"
                f"{_money(cause, ', {} more in all')}."
            )
        case CauseKind.TRAFFIC_GONE:
            # What is left came before `since`.
            left = f", and only {round(cause.k):,} before" if round(cause.k) else ""
            return f"{where}: no code requested {when}{left}, usually {round(cause.usual):,}."


def receipt_words(health: ReceiptHealth, since: datetime | None, zone: ZoneInfo) -> str:
    """ "silent since 24 Nov 12:04", "not to be trusted"."""
    if health is ReceiptHealth.SILENT and since is not None:
        return f"silent since {day_and_time(since, zone)}"
    return _RECEIPTS[health]


def place_name(place: TrafficPlace) -> str:
    return traffic_name(place.channel, place.country, place.carrier)


def moment_words(moment: datetime, zone: ZoneInfo, now: datetime) -> str:
    """ "12:04" today, "23 Nov 12:04" before, "23 Nov" for a whole day."""
    local = moment.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return f"{local:%H:%M}"
    is_day = (local.hour, local.minute) == (0, 0)
    return f"{local.day} {local:%b}" if is_day else f"{local.day} {local:%b %H:%M}"


_RECEIPTS = {
    ReceiptHealth.ARRIVING: "arriving",
    ReceiptHealth.LATE: "late",
    ReceiptHealth.SILENT: "silent",
    ReceiptHealth.UNTRUSTED: "not to be trusted",
    ReceiptHealth.TOO_FEW: "too few",
}
#: Of a verb: its plural, its past and the plural of its past.
_VERBS = {
    "loses": ("lose", "lost", "lost"),
    "fails": ("fail", "failed", "failed"),
    "is": ("are", "was", "were"),
    "costs": ("cost", "cost", "cost"),
}


def _verb(cause: Cause, singular: str) -> str:
    """The verb for the name of a place: calls are plural; an incident that is over is past."""
    plural, past, past_plural = _VERBS[singular]
    is_plural = cause.place.channel == "voice"
    if _is_over(cause):
        return past_plural if is_plural else past
    return plural if is_plural else singular


def _is_over(cause: Cause) -> bool:
    return cause.until is not None and cause.until >= cause.since


def _loses(cause: Cause) -> str:
    lost = counted(cause.lost, "verification")
    return f"{_verb(cause, 'loses')} {lost}{_money(cause, ' and {}')}"


def _loss(cause: Cause) -> str:
    """ "; 12 verifications and $1.20 lost"; "" if none is lost."""
    if not cause.lost:
        return ""
    return f"; {counted(cause.lost, 'verification')}{_money(cause, ' and {}')} lost"


def _money(cause: Cause, form: str) -> str:
    return form.format(dollars(cause.money)) if cause.money and cause.money >= _CENT else ""


def _when(cause: Cause, zone: ZoneInfo, now: datetime) -> str:
    since = moment_words(cause.since, zone, now)
    if cause.until is None or not _is_over(cause):
        return f"since {since}"
    end = _end_words(cause.since, cause.until, zone, now)
    return f"on {since}" if end == f"the end of {since}" else f"from {since} to {end}"


def _end_words(since: datetime, until: datetime, zone: ZoneInfo, now: datetime) -> str:
    """ "15:00" on the day of the beginning; "the end of 23 Nov" for midnight, which would be read
    as the day that begins with it."""
    local = until.astimezone(zone)
    if (local.hour, local.minute) == (0, 0):
        last = local - timedelta(days=1)
        return f"the end of {last.day} {last:%b}"
    if local.date() == since.astimezone(zone).date():
        return f"{local:%H:%M}"
    return moment_words(until, zone, now)
