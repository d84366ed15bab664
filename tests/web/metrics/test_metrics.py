"""`GET /metrics` over HTTP, read by Prometheus' parsers: access, formats and values."""

import os
import re
import signal
from collections import defaultdict
from datetime import timedelta
from pathlib import Path

import httpx
import numpy as np
import pytest
import redis
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from prometheus_client.samples import Sample

from core.access.tokens import Scope
from core.figures.catalogue import IRREGULAR_EVENTS, Leg
from core.figures.layout import BINS, Tier
from core.figures.packing import UPPER_MS
from core.model.attempt import State
from core.model.clock import to_ms
from core.web.metrics.negotiation import Format, preferred_format
from tests.benchmarks.ledger import attempts, callbacks, requests, truth
from tests.figures.bins import bin_of
from tests.web.metrics.scraping import scraped, token_of
from tests.world import MovableClock, World, until, world

PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def families(answer: httpx.Response) -> dict[str, Metric]:
    is_openmetrics = "openmetrics" in answer.headers["content-type"]
    parse = parse_openmetrics if is_openmetrics else parse_text
    return {metric.name: metric for metric in parse(answer.text)}


def samples(metrics: dict[str, Metric]) -> list[Sample]:
    return [sample for metric in metrics.values() for sample in metric.samples]


def summed(metrics: dict[str, Metric], name: str, *by: str, **where: str) -> dict[str, float]:
    """The values of the samples of a name, summed by some labels."""
    added: dict[str, float] = defaultdict(float)
    for sample in samples(metrics):
        if sample.name == name and where.items() <= sample.labels.items():
            added["/".join(sample.labels[label] for label in by)] += sample.value
    return {place: value for place, value in added.items() if value}


def test_a_scrape_needs_a_token_that_may_read(at: World) -> None:
    tokens = at.services.tokens
    may = {scope: tokens.make(f"may-{scope}", frozenset({scope})) for scope in Scope}
    tokens.revoke("nobody")  # forgets what the process remembers of tokens
    may_not = at.http.get("/metrics")
    assert (may_not.status_code, may_not.headers["www-authenticate"]) == (401, "Bearer")
    assert scraped(at, token="pv_wrong").status_code == 401
    refused = scraped(at, token=may[Scope.VERIFY])
    assert refused.status_code == 403
    assert 'scope="read"' in refused.headers["www-authenticate"]
    assert scraped(at, token=may[Scope.READ]).status_code == 200
    assert scraped(at, token=may[Scope.ADMIN]).status_code == 200
    assert tokens.sandbox_token is not None
    assert scraped(at, token=tokens.sandbox_token).status_code == 200


def test_a_revoked_token_reads_no_more(at: World) -> None:
    token = token_of(at)
    assert scraped(at, token=token).status_code == 200
    at.services.tokens.revoke("scraper")
    assert scraped(at, token=token).status_code == 401


def test_only_get_and_head_are_served_and_no_answer_is_cached(at: World) -> None:
    token = token_of(at)
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        refused = scraped(at, token=token, method=method)
        assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD")
    head = scraped(at, token=token, method="HEAD")
    assert (head.status_code, head.content) == (200, b"")
    for answer in (head, scraped(at, token=token), scraped(at, token="")):
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, Format.OPENMETRICS),
        ("", Format.OPENMETRICS),
        ("*/*", Format.OPENMETRICS),
        (PROMETHEUS_3, Format.OPENMETRICS),
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", Format.OPENMETRICS),
        ("text/plain", Format.TEXT),
        ("TEXT/PLAIN;version=0.0.4", Format.TEXT),
        ("text/*", Format.TEXT),
        ("text/plain;version=0.0.4;q=0.5,*/*;q=0.1", Format.TEXT),
        ("text/plain;q=0.3, application/openmetrics-text;q=0.4", Format.OPENMETRICS),
        ("application/openmetrics-text;q=0, text/plain;q=0.1", Format.TEXT),
        ("text/plain;q=nonsense", Format.OPENMETRICS),
        ("application/json", Format.OPENMETRICS),
    ],
)
def test_the_format_is_the_one_that_the_scraper_prefers(accept: str | None, form: Format) -> None:
    assert preferred_format(accept) is form


def test_both_formats_can_be_parsed_and_have_the_same_values(at: World) -> None:
    verification = at.started(at.number())
    until(lambda: at.look(verification).attempts[0].state is State.DELIVERED)
    at.clock.advance(1)
    openmetrics, text = scraped(at), scraped(at, accept="text/plain")
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text; version=1")
    assert openmetrics.text.endswith("# EOF\n")
    assert text.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    changing = {
        "verification_redis_memory_bytes",
        "verification_journal_length",
        "verification_journal_age_seconds",
    }

    def values(answer: httpx.Response) -> dict[tuple[object, ...], float]:
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for sample in samples(families(answer))
            if not sample.name.endswith("_created") and sample.name not in changing
        }

    # Between two scrapes the log may report an event again, which is counted.
    until(lambda: values(scraped(at)) == values(scraped(at, accept="text/plain")))


def test_counters_and_histograms_are_the_sums_of_the_traffic(at: World) -> None:
    traffic = attempts(300, seed=3)
    events = np.arange(4 * len(traffic)).reshape(-1, 4)
    once = np.concatenate([events[:, :3].ravel(), events[traffic["verified"] > 0, 3]])
    at.services.ledger.apply_all(requests(traffic))
    at.services.ledger.apply_all(callbacks(traffic, once))
    metrics = families(scraped(at))
    start_ms = Tier.DAY.chunk_of(to_ms(at.clock.now())) * Tier.DAY.chunk_ms
    kept = traffic[traffic["requested"] >= start_ms]
    added = truth(traffic)[traffic["requested"] >= start_ms]
    place = kept["channel"] + "/" + kept["region"]
    for name, column in {
        "attempts_requested": "requested",
        "attempts_sent": "sent",
        "attempts_delivered": "delivered",
        "attempts_delivered_within_30s": "within_30",
        "attempts_entered": "entered",
        "started": "started",
        "converted": "converted",
    }.items():
        values = summed(metrics, f"verification_{name}_total", "channel", "country")
        expected = added[column].groupby(place).sum()
        assert values == expected[expected > 0].to_dict(), name
    created = {
        sample.value for sample in samples(metrics) if sample.name == "verification_started_created"
    }
    assert created == {start_ms / 1000}
    delivered = kept[kept["delivered"] > 0]
    spans = [int(ms) for ms in delivered["delivered"] - delivered["requested"]]
    bins = np.bincount([bin_of(ms) for ms in spans], minlength=BINS).cumsum()
    buckets = summed(metrics, "verification_time_to_deliver_seconds_bucket", "le")
    assert buckets["+Inf"] == len(spans)
    for le, n in buckets.items():
        if le != "+Inf":
            # The bound is a bound of a bin, so nothing is interpolated.
            (at_bin,) = np.flatnonzero(np.isclose(UPPER_MS / 1000, float(le), rtol=1e-12))
            assert n == bins[at_bin]
            assert n == sum(ms <= float(le) * 1000 for ms in spans)
    queue = summed(metrics, "verification_queue_time_seconds_sum", "channel")
    exact = (kept["sent"] - kept["queued"]).groupby(kept["channel"]).sum()
    assert queue == pytest.approx((exact / 1000).to_dict())


def test_the_states_of_a_window_add_up_to_what_was_requested(at: World) -> None:
    number = at.number("0030")
    verification = at.started(number)
    until(lambda: at.look(verification).attempts[0].state is State.UNDELIVERED)
    at.started(at.number("0700"))
    metrics = families(scraped(at))
    attempted = summed(metrics, "verification_window_attempts", "state", window="1h")
    assert attempted == {"undelivered": 1, "pending": 1}
    errors = summed(metrics, "verification_window_errors", "channel", "code", window="1h")
    assert errors == {"sms/30": 1}
    assert summed(metrics, "verification_attempts_requested_total") == {"": 2}


def test_the_state_of_the_pipeline_is_exported(at: World) -> None:
    before = families(scraped(at))
    for moment in ("newest_attempt", "logs_read_through"):
        # Zero would be 1970, a lag of more than 50 years.
        assert before[f"verification_{moment}_timestamp_seconds"].samples == []
    # All kinds are exported from the start: Prometheus sees no increase of a new series.
    kinds = {sample.labels["kind"] for sample in before["verification_irregular_events"].samples}
    assert kinds == set(IRREGULAR_EVENTS)
    at.services.ledger.count("forged")
    at.services.ledger.count("forged")
    # A short range: more would read messages of other tests, and pages of logs are limited.
    at.services.log_sync.run(at.clock.now() - timedelta(milliseconds=1))
    began = at.clock.now()
    at.started(at.number())
    metrics = families(scraped(at))
    assert summed(metrics, "verification_irregular_events_total", kind="forged") == {"": 2}
    (newest,) = metrics["verification_newest_attempt_timestamp_seconds"].samples
    assert abs(newest.value - began.timestamp()) < 5
    (through,) = metrics["verification_logs_read_through_timestamp_seconds"].samples
    assert abs(through.value - began.timestamp()) < 5
    (memory,) = metrics["verification_redis_memory_bytes"].samples
    assert memory.value > 100_000
    assert {sample.labels["environment"] for sample in samples(metrics)} == {"sandbox"}


def test_sample_traffic_is_marked_and_no_answer_holds_a_number(
    at: World, client: redis.Redis
) -> None:
    number = at.number()
    verification = at.started(number)
    assert summed(families(scraped(at)), "verification_sample_traffic") == {}
    at.services.sample.load(days=2, per_day=60)
    at.services.queries.forget()
    answer = scraped(at)
    assert summed(families(answer), "verification_sample_traffic") == {"": 1}
    for secret in (number, number[1:], at.code(verification), verification):
        assert secret not in answer.text
    labels = " ".join(re.findall(r"\{([^}]*)\}", answer.text))
    assert not re.search(r"\d{5,}", re.sub(r'le="[^"]*"', "", labels))


def test_a_scrape_without_redis_says_when_to_retry(tmp_path: Path) -> None:
    with world(tmp_path, None, MovableClock()) as own:
        token = own.services.tokens.sandbox_token
        assert token is not None
        assert scraped(own, token=token).status_code == 200
        server = int(own.services.client.info("server")["process_id"])
        os.kill(server, signal.SIGSTOP)
        try:
            away = scraped(own, token=token)
        finally:
            os.kill(server, signal.SIGCONT)
        assert (away.status_code, away.headers["retry-after"]) == (503, "5")
        assert away.headers["content-type"].startswith("text/plain")
        assert away.text.startswith("Redis did not answer in time.")


def test_every_leg_is_a_histogram(at: World) -> None:
    at.started(at.number())
    values = [name for name, metric in families(scraped(at)).items() if metric.type == "histogram"]
    assert len(values) == len(Leg)
