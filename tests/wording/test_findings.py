"""The sentences of a verdict."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.findings.causes import Cause, CauseKind, DeliveryVerdict, Outcome
from core.findings.places import EVERYTHING, TrafficPlace
from core.findings.shares import Share
from core.wording.findings import cause_sentence, moment_words, place_name, verdict_sentence

UTC_ZONE = ZoneInfo("UTC")
NOW = datetime(2026, 11, 24, 12, 4, tzinfo=UTC)
SINCE = datetime(2026, 11, 23, tzinfo=UTC)
TELKOMSEL = TrafficPlace(None, "ID", "Telkomsel")
LOSES = Cause(
    CauseKind.LOSES, TELKOMSEL, SINCE, None, 950, 1000, 0.03, 294,
    14.7, requested=1000, converted=50, measure=Share.FAILED,
)  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "sentence"),
    [
        (LOSES, "Telkomsel in Indonesia loses 294 verifications and $14.70 since 23 Nov: "
         "95.0 % not delivered, usually 3.0 %."),
        (replace(LOSES, lost=1, money=None, place=TrafficPlace("voice", "ID")),
         "Calls to Indonesia lose 1 verification since 23 Nov: 95.0 % not delivered, "
         "usually 3.0 %."),
        (replace(LOSES, lost=0, measure=Share.UNCONVERTED, until=NOW),
         "Telkomsel in Indonesia failed from 23 Nov to 12:04: 950 of 1,000 codes not entered, "
         "usually 3.0 %."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_LATE, until=SINCE + timedelta(days=1)),
         "Telkomsel in Indonesia: receipts were late on 23 Nov; most codes were entered before "
         "they came."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_LATE, until=SINCE + timedelta(days=2)),
         "Telkomsel in Indonesia: receipts were late from 23 Nov to the end of 24 Nov; most codes "
         "were entered before they came."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_LATE, until=SINCE + timedelta(hours=15)),
         "Telkomsel in Indonesia: receipts were late from 23 Nov to 15:00; most codes were entered "
         "before they came."),
        (replace(LOSES, kind=CauseKind.PUMPING, is_new=True, requested=5000, converted=0),
         "Telkomsel in Indonesia loses 294 verifications and $14.70 since 23 Nov; looks like "
         "pumping: 5,000 codes, where none was sent before, none entered."),
        (replace(LOSES, kind=CauseKind.PUMPING, converted=1),
         "Telkomsel in Indonesia loses 294 verifications and $14.70 since 23 Nov; looks like "
         "pumping: 1,000 codes, 1 entered."),
        (replace(LOSES, kind=CauseKind.UNCLEAR, place=EVERYTHING, money=0),
         "All traffic: Plivo gave no clear answer to 950 of 1,000 sends since 23 Nov (429, 5xx or "
         "none); 294 verifications lost."),
        (replace(LOSES, kind=CauseKind.SLOW, lost=0, seconds=30),
         "Telkomsel in Indonesia is slow since 23 Nov: 5.0 % of 1,000 codes within 30 s, usually "
         "97.0 %."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_SILENT, place=TrafficPlace("sms")),
         "SMS: no receipts since 23 Nov (950 missing), but codes are entered."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_LATE),
         "Telkomsel in Indonesia: receipts are late since 23 Nov; most codes are entered before "
         "they come."),
        (replace(LOSES, kind=CauseKind.RECEIPTS_UNTRUSTED),
         "Telkomsel in Indonesia: receipts are not to be trusted since 23 Nov; codes are entered "
         "without them."),
        (replace(LOSES, kind=CauseKind.PRICE, k=30, n=200, usual=0.05, money=20, measure=None),
         "Telkomsel in Indonesia costs 3 times as much since 23 Nov: $0.15 each, $0.0500 before, "
         "$20.00 more in all."),
        (replace(LOSES, kind=CauseKind.TRAFFIC_GONE, k=0, n=396, usual=396, measure=None),
         "Telkomsel in Indonesia: no code requested since 23 Nov, usually 396."),
        (replace(LOSES, kind=CauseKind.TRAFFIC_GONE, k=5, n=396, usual=396, measure=None),
         "Telkomsel in Indonesia: no code requested since 23 Nov, and only 5 before, usually 396."),
    ],
)  # fmt: skip
def test_each_incident_is_a_sentence(cause: Cause, sentence: str) -> None:
    assert cause_sentence(cause, UTC_ZONE, NOW) == sentence


def test_a_verdict_is_one_sentence_and_at_most_three_causes() -> None:
    calm = DeliveryVerdict(Outcome.CALM, 971, 1000, (), 28)
    assert verdict_sentence(calm, UTC_ZONE, NOW) == (
        "Codes arrive: 97.1 %. Nothing differs from the 28 days before by more than chance "
        "(1,000 codes)."
    )
    first_day = replace(calm, compared_days=0)
    assert "there is no earlier traffic to compare with" in verdict_sentence(
        first_day, UTC_ZONE, NOW
    )
    bad = replace(calm, outcome=Outcome.CAUSES, causes=(LOSES,) * 4, at_least=True)
    sentence = verdict_sentence(bad, UTC_ZONE, NOW)
    assert sentence.startswith("Codes arrive: at least 97.1 %. The worst 3 of 4 incidents: Telk")
    assert sentence.count("294") == 3
    # Alerts that no cause names have the lines that causes leave.
    alerts = ["First alert.", "Second alert.", "Third alert."]
    assert verdict_sentence(bad, UTC_ZONE, NOW, alerts) == sentence
    two = verdict_sentence(replace(bad, causes=(LOSES,) * 2), UTC_ZONE, NOW, alerts)
    assert two.endswith("First alert.")
    calm_yet = verdict_sentence(calm, UTC_ZONE, NOW, alerts[:1])
    assert calm_yet == "Codes arrive: 97.1 %. First alert."
    # A share of a few codes is given with its counts.
    small = replace(calm, confirmed=16, requested=19)
    assert verdict_sentence(small, UTC_ZONE, NOW).startswith("Codes arrive: 84.2 % (16 of 19). No")
    few = DeliveryVerdict(Outcome.TOO_FEW, 6, 7, (), 28)
    assert verdict_sentence(few, UTC_ZONE, NOW) == "Too few codes to judge: 7 in this range."
    loading = replace(calm, outcome=Outcome.LOADING, compared_days=0)
    assert verdict_sentence(loading, UTC_ZONE, NOW) == (
        "Codes arrive: 97.1 %. While sample traffic is being loaded or removed, no incident is "
        "named."
    )
    none = DeliveryVerdict(Outcome.NO_TRAFFIC, 0, 0, (), 0)
    assert verdict_sentence(none, UTC_ZONE, NOW) == "No code was requested in this range."


def test_moments_are_of_the_zone_and_names_of_places_are_plain() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert moment_words(datetime(2026, 11, 24, 11, tzinfo=UTC), berlin, NOW) == "12:00"
    assert moment_words(datetime(2026, 11, 22, 23, tzinfo=UTC), berlin, NOW) == "23 Nov"
    assert moment_words(datetime(2026, 11, 22, 23, 5, tzinfo=UTC), berlin, NOW) == "23 Nov 00:05"
    names = [place_name(TrafficPlace("sms", "ID", "Telkomsel")), place_name(TrafficPlace("phlo"))]
    assert names == ["SMS to Telkomsel in Indonesia", "PHLO"]
