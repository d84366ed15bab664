"""REST, webhooks, CSV, /metrics and Redis keep the names and values of commit d753e17.

Inside the code an attempt has a `Way`; outside it has a channel and a mode. Later commits may add
names and values; those here must stay.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from prometheus_client.parser import text_string_to_metric_families

from core.figures.filters import Filters
from core.figures.ranges import Comparison, Preset, comparison_range, preset
from core.ledger.explorer import AttemptFilter
from core.model.attempt import attempt_id
from core.model.way import Way
from core.panels import countries, figures, tables
from core.panels.abuse import suspects
from core.panels.attempts import attempt_frame
from core.panels.export import csv_of
from core.panels.figure_inputs import read_inputs
from core.panels.query_state import FILTERS, channels
from core.store.keys import Keys
from core.web.rest.application import rest_api
from core.webhooks.event import read_event
from tests.world import FrozenClock, World, world

UTC_ZONE = ZoneInfo("UTC")
#: Each way: what a request may say, and the channel and the mode that every border then shows.
WAYS = [
    (Way.SMS, {}, ("sms", "sms")),
    (Way.SMS, {"channel": "sms", "mode": "call"}, ("sms", "sms")),
    (Way.VOICE, {"channel": "voice"}, ("voice", "call")),
    (Way.VOICE, {"channel": "voice", "mode": "sms"}, ("voice", "call")),
    (Way.PHLO_SMS, {"channel": "phlo"}, ("phlo", "sms")),
    (Way.PHLO_CALL, {"channel": "phlo", "mode": "call"}, ("phlo", "call")),
]
WEBHOOK_FACTS = {
    "type": "failed", "at_ms": "1773480413589", "verification": "v", "attempt": "v-1",
    "to_masked": "+1 415 ••• ••23", "region": "US", "status": "pending", "state": "undelivered",
    "requested_ms": "1773480400000", "error_code": "30", "hangup_cause": "3010", "cause": "Spam.",
    "delivered_ms": "1773480401250", "started_ms": "1773480400000", "verified_ms": "1773480402500",
}  # fmt: skip
WEBHOOK_DATA = {
    "verification": "v", "attempt": "v-1", "to_masked": "+1 415 ••• ••23", "country": "US",
    "status": "pending", "reason": "undelivered", "error_code": "30", "hangup_cause": "3010",
    "cause": "Spam.", "time_to_deliver_ms": 1250, "time_to_verify_ms": 2500,
}  # fmt: skip
#: Counts that several answers of `/delivery` share.
FIGURES = (
    "accepted app_ms carrier_ms confirmed converted cost_micros cost_unattributed_micros "
    "cost_verified_micros delivered "
    "entered failed fallbacks n_app n_carrier n_person n_queue pending person_ms priced queue_ms "
    "rejected requested rescued resends sent skewed started unattributed unclear undelivered units "
    "unreported verified within_10 within_30 within_60"
)

#: Names of the properties in the OpenAPI document.
PROPERTIES = {
    "AlertAnswer": "baseline chance detectable_drop measure n observed series since state under",
    "AttemptAnswer": (
        "carrier cause channel cost_micros country error_code hangup_cause id mode moments "
        "network number origin reference remedy state to_masked units verification"
    ),
    "AttemptDetail": (
        "carrier cause channel cost_micros country error_code hangup_cause heard id mode moments "
        "network number origin reference remedy state to_masked units verification"
    ),
    "Attempts": "attempts next_cursor",
    "Bin": "count upper_ms",
    "ById": "id",
    "ByNumber": "number",
    "CallOfferAnswer": "at reason",
    "ChannelRow": f"{FIGURES} channel",
    "Check": "code",
    "CheckAnswer": "checks_left outcome",
    "CountryRow": f"{FIGURES} carrier country p95_ms",
    "ErrorRow": "channel code count previous",
    "Figures": FIGURES,
    "Health": "status",
    "HeardAnswer": "at heard_at kind outcome source",
    "Latency": "bins count leg percentiles_ms range",
    "Mistake": "message where",
    "Problem": "cause code errors remedy retry_after_seconds status title type",
    "Resend": "call client_address seen",
    "SendAnswer": "cause outcome remedy",
    "SentAnswer": "send verification",
    "Span": "end start",
    "Start": "channel client_address locale mode number region",
    "Step": f"{FIGURES} complete start",
    "StepAnswer": "at gap_ms label note state",
    "Totals": "figures previous previous_range range",
    "VerificationAnswer": (
        "attempts call_offer carrier channel checks_left country expires_at id mode next_send_at "
        "started_at status timeline to_masked verified_at"
    ),
}
#: Values of the enumerations in the OpenAPI document.
VALUES = {
    "AlertState": "no_data ok pending firing recovering",
    "Channel": "sms voice phlo",
    "CheckOutcome": (
        "approved wrong_code expired used canceled locked number_locked not_found malformed"
    ),
    "ProblemCode": (
        "invalid_request unauthenticated insufficient_scope too_many_requests not_found "
        "method_not_allowed too_large number_refused channel_unavailable key_reused over_budget "
        "number_locked too_soon verification_closed malformed_code cursor_refused "
        "store_unavailable internal_error"
    ),
    "Comparison": "none previous weekday year",
    "EventKind": (
        "requested unconfirmed accepted queued ringing sent answered unreported rejected failed "
        "undelivered delivered checked verified"
    ),
    "Leg": "ttd ttv queue carrier",
    "Measure": "unclear receipts confirmed within_60 conversion traffic refused price",
    "Mode": "sms call",
    "Proof": "sole shared other",
    "Preset": "15m 1h 6h 24h today yesterday 7d 30d 90d",
    "SendOutcome": (
        "sent unknown rejected duplicate key_reused too_soon over_budget locked closed not_found "
        "number_refused channel_unavailable"
    ),
    "State": (
        "requested accepted queued ringing sent answered delivered undelivered failed rejected "
        "unclear unknown"
    ),
    "Status": "pending verified locked canceled expired",
    "StepState": "done verified now waiting bad unclear unknown undelivered failed rejected",
}
#: Columns of the CSV files, in their order, by the key of the page's button: names in frames, and
#: what people read.
CSV: dict[str, dict[str | int, str]] = {
    "csv_figures": {
        "figure": "Figure",
        "value": "Value (share of 1, ms or $)",
        "low": "95 % interval, from",
        "high": "95 % interval, to",
        "n": "n",
        "change": "Change",
    },
    "csv_over_time": {
        "start": "Start of the step",
        "requested": "Requested",
        "started": "Verifications started",
        "resends": "Sent again",
        "fallbacks": "Sent in place of another",
        "rescued": "Rescued",
        "skewed": "Impossible times",
        "unclear": "Unclear",
        "unreported": "No report for 72 hours",
        "rejected": "Rejected",
        "failed": "Failed",
        "undelivered": "Undelivered",
        "entered": "Code entered",
        "verified": "Verified",
        "converted": "Verifications that succeeded",
        "n_person": "Attempts with a time of the person",
        "accepted": "Accepted",
        "n_app": "Attempts with a time to accepted",
        "units": "Message parts",
        "sent": "Sent",
        "n_queue": "Attempts with a time in Plivo's queue",
        "delivered": "Delivered",
        "confirmed": "Confirmed",
        "within_10": "Delivered within 10 s",
        "within_30": "Delivered within 30 s",
        "within_60": "Delivered within 60 s",
        "n_carrier": "Attempts with a time at the carrier",
        "priced": "Price known",
        "unattributed": "Verified, attempt not known",
        "cost_micros": "Cost ($ / 1,000,000)",
        "carrier_ms": "Time at the carrier, sum (ms)",
        "queue_ms": "Time in Plivo's queue, sum (ms)",
        "app_ms": "Time to accepted, sum (ms)",
        "person_ms": "Time of the person, sum (ms)",
        "cost_verified_micros": "Cost of verified attempts ($ / 1,000,000)",
        "cost_unattributed_micros": "Cost of attempts perhaps verified ($ / 1,000,000)",
        "pending": "Pending",
        "complete": "Step has ended",
    },
    "csv_funnel": {
        "channel": "Channel",
        "name": "Name",
        "requested": "Requested",
        "sent": "Sent",
        "delivered": "Delivered",
        "verified": "Verified",
        "requested_share": "Requested (% of requested)",
        "requested_step": "Requested (% of the count before)",
        "sent_share": "Sent (% of requested)",
        "sent_step": "Sent (% of the count before)",
        "delivered_share": "Delivered (% of requested)",
        "delivered_step": "Delivered (% of the count before)",
        "verified_share": "Verified (% of requested)",
        "verified_step": "Verified (% of the count before)",
    },
    "csv_rescue": {
        "channel": "Channel",
        "resends": "Sent again",
        "fallbacks": "Sent in place of another",
        "rescued": "Verified this way",
        "rate": "Rescue rate (%)",
        "low": "95 % interval, from",
        "high": "95 % interval, to",
    },
    "csv_time_to_deliver": {
        "start": "Start of the step",
        0: "Up to 0.034 s",
        39: "Up to 1.000 s",
        183: "Up to 262144 s",
    },
    "csv_parts": {
        "leg": "Part",
        "name": "Name",
        "n": "n",
        "mean_s": "Mean (s)",
        "from_s": "Parts before (s)",
    },
    "csv_countries": {
        "place": "Country, carrier",
        "country": "Country code",
        "carrier": "Carrier",
        "n": "n",
        "confirmed": "Confirmed (%)",
        "low": "95 % interval, from",
        "high": "95 % interval, to",
        "bounds": "95 % interval",
        "receipts": "Receipts",
        "p95_s": "p95 time to deliver (s)",
        "conversion": "Conversion (%)",
        "cost": "Cost per verified attempt ($)",
        "spark": "Confirmed over time (%)",
    },
    "csv_errors": {
        "channel": "Channel",
        "code": "Code",
        "label": "Label",
        "count": "Attempts",
        "previous": "Before",
        "meaning": "Meaning",
        "advice": "What to do",
    },
    "csv_cost": {
        "channel": "Channel",
        "spent": "Spent ($)",
        "wasted": "Wasted ($)",
        "share": "Wasted (%)",
        "per_verified": "Cost per verified attempt ($)",
        "priced": "Price known (%)",
    },
    "csv_suspects": {
        "place": "Country, carrier",
        "country": "Country code",
        "carrier": "Carrier",
        "n": "Verifications started",
        "before": "Verifications started before",
        "conversion": "Conversion (%)",
        "conversion_before": "Conversion before (%)",
    },
    "csv_attempts": {
        "requested": "Requested at",
        "to": "To",
        "channel": "Channel",
        "country": "Country",
        "carrier": "Carrier",
        "state": "State",
        "error": "Error",
        "seconds": "Delivered after (s)",
        "attempt": "Attempt",
    },
}
#: Samples of /metrics and their labels, beside `environment`, which all have.
SAMPLES = {
    "measure state": "alerts",
    "channel country": (
        "attempts_accepted_total attempts_delivered_total "
        "attempts_delivered_within_10s_total attempts_delivered_within_30s_total "
        "attempts_delivered_within_60s_total attempts_entered_total attempts_requested_total "
        "attempts_sent_total converted_total fallbacks_total resends_total started_total"
    ),
    "channel le": (
        "carrier_time_seconds_bucket queue_time_seconds_bucket time_to_deliver_seconds_bucket "
        "time_to_verify_seconds_bucket"
    ),
    "channel": (
        "carrier_time_seconds_count carrier_time_seconds_sum queue_time_seconds_count "
        "queue_time_seconds_sum time_to_deliver_seconds_count time_to_deliver_seconds_sum "
        "time_to_verify_seconds_count time_to_verify_seconds_sum"
    ),
    "": (
        "checks_waiting journal_age_seconds journal_length logs_failing "
        "newest_attempt_timestamp_seconds redis_memory_bytes sample_traffic"
    ),
    "kind": "irregular_events_total",
    "channel country state window": "window_attempts",
    "channel country window": (
        "window_confirmed_attempts window_converted window_cost_dollars window_fallbacks "
        "window_priced_attempts window_rescued window_started window_unattributed "
        "window_unattributed_cost_dollars window_units window_verified_attempts "
        "window_verified_cost_dollars"
    ),
    "channel code window": "window_errors",
}


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with eight days of sample traffic in a Redis of its own, and a clock that stands in
    the evening: "today" has errors too."""
    clock = FrozenClock()
    clock.advance(timedelta(hours=20) - timedelta(hours=clock.now().hour))
    with world(tmp_path_factory.mktemp("borders"), None, clock) as at:
        at.services.sample.load(days=8, per_day=120, seed=7)
        yield at


@cache
def document() -> dict[str, dict[str, list[str]]]:
    """The schemas of the OpenAPI document."""
    schemas: dict[str, dict[str, list[str]]] = rest_api(lambda: None).openapi()["components"][  # type: ignore[arg-type, return-value]
        "schemas"
    ]
    return schemas


@pytest.mark.parametrize("name", PROPERTIES)
def test_rest_answers_keep_their_properties(name: str) -> None:
    assert set(PROPERTIES[name].split()) <= set(document()[name]["properties"])


@pytest.mark.parametrize("name", VALUES)
def test_rest_enumerations_keep_their_values(name: str) -> None:
    assert set(VALUES[name].split()) <= set(document()[name]["enum"])


@pytest.mark.parametrize(("way", "request_", "expected"), WAYS)
def test_rest_and_redis_show_channel_and_mode_of_a_way(
    at: World, way: Way, request_: dict[str, str], expected: tuple[str, str]
) -> None:
    token = at.services.tokens.sandbox_token
    answer = at.http.post(
        "/api/v1/verifications",
        json={"number": at.number()} | request_,
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.text
    verification = answer.json()["verification"]
    (attempt,) = verification["attempts"]
    assert (verification["channel"], verification["mode"]) == expected
    assert (attempt["channel"], attempt["mode"]) == expected
    assert at.look(verification["id"]).attempts[0].way is way
    keys = Keys("sandbox")
    first = attempt_id(verification["id"], 1)
    for key in (keys.verification(verification["id"]), keys.attempt(first)):
        assert tuple(at.services.client.hmget(key, "channel", "mode")) == expected


@pytest.mark.parametrize("shown", sorted({shown for _, _, shown in WAYS}))
def test_webhooks_keep_their_keys_and_show_channel_and_mode(shown: tuple[str, str]) -> None:
    channel_and_mode = dict(zip(("channel", "mode"), shown, strict=True))
    body = json.loads(read_event("v-1_failed", json.dumps(WEBHOOK_FACTS | channel_and_mode)).body)
    assert body == {
        "id": "v-1_failed",
        "type": "verification.failed",
        "timestamp": "2026-03-14T09:26:53.589Z",
        "data": WEBHOOK_DATA | channel_and_mode,
    }


def csv_frames(at: World) -> dict[str, pd.DataFrame]:
    """The frame of every CSV file, by the key of the page's button."""
    queries, filters = at.services.queries, Filters()
    over = preset(Preset.WEEK, at.clock.now(), UTC_ZONE)
    before = comparison_range(over, Comparison.PREVIOUS, UTC_ZONE)
    assert before is not None
    steps = queries.over_time(over, filters, UTC_ZONE)
    heat = queries.heatmap(over, filters, zone=UTC_ZONE)
    by_channel, by_country = queries.by_channel(over, filters), queries.by_country(over, filters)
    totals = queries.totals(over, filters)
    inputs = read_inputs(queries, over, Comparison.PREVIOUS, filters, UTC_ZONE)
    attempts = at.services.explorer.page(AttemptFilter()).attempts
    return {
        "csv_figures": figures.table(figures.figures(inputs)),
        "csv_over_time": steps,
        "csv_funnel": tables.funnel_table(by_channel),
        "csv_rescue": tables.rescue_table(by_channel),
        "csv_time_to_deliver": heat,
        "csv_parts": tables.legs_table(totals),
        "csv_countries": countries.country_table(by_country),
        "csv_errors": tables.error_table(queries.errors(over, filters, before)),
        "csv_cost": tables.cost_table(by_channel),
        "csv_suspects": suspects(by_country, queries.by_country(before, filters)),
        "csv_attempts": attempt_frame(attempts, UTC_ZONE),
    }


def test_csv_files_keep_their_columns_headings_and_channels(busy: World) -> None:
    frames = csv_frames(busy)
    for key, frame in frames.items():
        rows = csv_of(frame, key.removeprefix("csv_")).decode("utf-8-sig").splitlines()
        (written,) = csv.reader(rows[:1])
        assert len(set(written)) == len(written), key
        assert not [heading for heading in written if "_" in heading], key
        names = [name for name in frame.reset_index() if name in CSV[key]]
        assert names == list(CSV[key]), key
        headings = [heading for heading in written if heading in CSV[key].values()]
        assert headings == list(CSV[key].values()), key
    assert len(frames["csv_time_to_deliver"].columns) == 184
    assert set(frames["csv_funnel"]["channel"]) == {"sms", "voice", "phlo"}
    assert set(frames["csv_cost"]["channel"]) == {"SMS", "Call", "PHLO"}
    assert set(frames["csv_attempts"]["channel"]) <= {"SMS", "Call", "PHLO"}


def test_metrics_keep_their_names_labels_and_channels(busy: World) -> None:
    token = busy.services.tokens.sandbox_token
    answer = busy.http.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    labels: dict[str, set[str]] = {}
    values: dict[str, set[str]] = defaultdict(set)
    for metric in text_string_to_metric_families(answer.text):
        for sample in metric.samples:
            labels[sample.name] = set(sample.labels)
            for label, value in sample.labels.items():
                values[label].add(value)
    for names, samples in SAMPLES.items():
        for sample_name in samples.split():
            expected = {"environment", *names.split()}
            assert labels[f"verification_{sample_name}"] == expected, sample_name
    assert values["channel"] == {"sms", "voice", "phlo"}
    assert values["environment"] == {"sandbox"}


def test_page_addresses_keep_their_filters() -> None:
    assert FILTERS == ("channel", "country", "carrier")
    assert {"sms", "voice", "phlo"} <= set(channels())


def test_an_unknown_channel_or_mode_has_no_way() -> None:
    for channel, mode in (("pigeon", "sms"), ("sms", "pigeon"), ("", ""), ("phlo", "")):
        with pytest.raises(ValueError, match="is not a valid"):
            Way.of(channel, mode)
