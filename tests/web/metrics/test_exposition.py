"""`/metrics` of a fixed data set: names, help, labels, order and values stay as they are."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.model.attempt import AttemptEvent, EventKind, Source
from core.services import Services
from core.settings.settings import Settings
from core.web.metrics import definitions
from core.web.metrics.collecting import collect
from core.web.metrics.definitions import DEFINITIONS, WINDOW_PREFIX, MetricType
from core.web.metrics.exposition import exposition, families
from core.web.metrics.negotiation import Format
from core.wiring import build
from tests.world import MovableClock

NOW = datetime(2026, 3, 14, 12, 30, 15, 250_000, tzinfo=UTC)
#: Written by the version before the catalogue of figures.
STORED = {
    Format.OPENMETRICS: Path(__file__).with_name("exposition.openmetrics.txt"),
    Format.TEXT: Path(__file__).with_name("exposition.text.txt"),
}


class FixedClock(MovableClock):
    def now(self) -> datetime:
        return NOW + self.ahead


@pytest.fixture
def services(tmp_path: Path, own_database: str) -> Iterator[Services]:
    """An empty product whose clock stands at NOW, without a web server and its threads."""
    settings = Settings(data_dir=tmp_path, redis_url=own_database)
    built = build(settings, FixedClock())
    yield built
    built.close()


def apply(services: Services, attempt: str, minutes_ago: int, **record: str) -> None:
    """An attempt whose events come at fixed seconds after its request."""
    requested = NOW - timedelta(minutes=minutes_ago)
    ending = EventKind(record.pop("ending", "delivered"))
    is_call = record["mode"] == "call"
    begins = {"to_masked": "+49 •", "carrier": "O2", "origin": "first"} | record
    reports: list[tuple[EventKind, float, dict[str, str]]] = [
        (EventKind.REQUESTED, 0, begins),
        (EventKind.ACCEPTED, 0.3, {"reference": f"reference-{attempt}"}),
        (EventKind.RINGING if is_call else EventKind.QUEUED, 0.5, {}),
        (EventKind.ANSWERED if is_call else EventKind.SENT, 1.75, {"units": "2"}),
        (ending, 9.125, {"cost_micros": "7700"}),
    ]
    if ending is EventKind.DELIVERED:
        reports += [(EventKind.VERIFIED, 31.5, {})]
    else:
        reports[-1][2]["error_code"] = "30"
    for kind, seconds, fields in reports:
        source = Source.APP if kind is EventKind.REQUESTED else Source.CALLBACK
        at = requested + timedelta(seconds=seconds)
        services.ledger.apply(AttemptEvent(attempt, kind, at, source, fields))


def fill(services: Services) -> None:
    sms = {"channel": "sms", "mode": "sms"}
    apply(services, f"{1:024}-1", 5, region="DE", **sms)
    apply(services, f"{2:024}-1", 300, region="US", ending="undelivered", **sms)
    apply(services, f"{3:024}-1", 3 * 24 * 60, region="", **sms)
    apply(services, f"{4:024}-1", 20, region="DE", channel="voice", mode="call")
    again = {"origin": "fallback"}
    apply(services, f"{2:024}-2", 8, region="US", channel="phlo", mode="call", **again)
    services.ledger.count("forged")
    services.ledger.count("late")
    services.ledger.count("late")
    services.fold.settle()


def metrics_table() -> str:
    """The table of all metrics, as in the README."""
    lines = ["| metric | type | labels | meaning |", "|---|---|---|---|"]
    for definition in DEFINITIONS:
        name = f"{definition.name}{'_total' * (definition.type is MetricType.COUNTER)}"
        labels = ", ".join(f"`{label}`" for label in definition.labels)
        meaning = definition.help.removeprefix(f"{WINDOW_PREFIX} ")
        meaning = meaning[0].upper() + meaning[1:]
        lines.append(f"| `{name}` | {definition.type} | {labels} | {meaning} |")
    return "\n".join(lines)


@pytest.mark.parametrize("form", Format)
def test_the_exposition_of_a_fixed_data_set_is_the_stored_one(
    services: Services, form: Format
) -> None:
    fill(services)
    text = exposition(collect(services), form).decode()
    # What Redis has taken is the only value that differs from run to run.
    text = re.sub(r"(?m)^(verification_redis_memory_bytes\{.*\}) .*$", r"\1 1.0", text)
    assert text == STORED[form].read_text(encoding="utf-8")


def test_the_exposition_has_the_metrics_of_the_definitions_in_their_order(
    services: Services,
) -> None:
    fill(services)
    metrics = families(collect(services))
    assert [(m.name, m.type, m.documentation) for m in metrics] == [
        (definition.name, definition.type, definition.help) for definition in DEFINITIONS
    ]
    for metric, definition in zip(metrics, DEFINITIONS, strict=True):
        for sample in metric.samples:
            assert set(sample.labels) - {"le"} == {"environment", *definition.labels}


def test_the_readme_lists_the_metrics_of_the_definitions() -> None:
    readme = Path(definitions.__file__).with_name("README.md").read_text(encoding="utf-8")
    section = readme.partition("## Metrics\n")[2]
    assert section[section.index("|") :] == metrics_table() + "\n"
