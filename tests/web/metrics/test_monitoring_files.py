"""The Grafana dashboard and the alert rules query only what /metrics exposes."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser
import pytest
import redis
import yaml  # type: ignore[import-untyped]
from prometheus_client.openmetrics import parser

from core.alerts.measures import Measure
from core.alerts.states import AlertState
from core.model.attempt import EventKind
from core.web.metrics import route
from tests.figures.test_rollups import ReportedAttempt
from tests.web.metrics.scraping import scraped
from tests.world import World, until

FOLDER = route.__file__.rpartition("/")[0]
#: Values of the variables of Grafana.
SCREEN = {
    "$__rate_interval": "5m",
    "$__range": "24h",
    "$environment": "sandbox",
    "$channel": "sms|voice|phlo",
    "$country": "US|DE",
}
SEVERITIES = {"warning", "critical"}


def read(name: str) -> str:
    with open(f"{FOLDER}/{name}", encoding="utf-8") as file:
        return file.read()


DASHBOARD: dict[str, Any] = json.loads(read("grafana_dashboard.json"))
RULES: dict[str, Any] = yaml.safe_load(read("alert_rules.yml"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
QUERIES = [(panel["title"], entry["expr"]) for panel in PANELS for entry in panel["targets"]]
QUERIES += [(rule["alert"], rule["expr"]) for rule in ALERTS]
LEGENDS = [(entry["expr"], entry["legendFormat"]) for panel in PANELS for entry in panel["targets"]]

LabelValues = dict[str, dict[str, set[str]]]


@pytest.fixture(scope="module")
def exposed(_world: World, redis_url: str) -> LabelValues:
    """The labels of each name in a real exposition, with their values."""
    at = _world
    at.clock.ahead *= 0
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    # A short range: more would read messages of other tests, and pages of logs are limited.
    at.services.log_sync.run(at.clock.now() - timedelta(milliseconds=1))
    at.services.sample.load(days=2, per_day=200)
    # For the last hour and for today: for each channel and country, a delivered attempt and an
    # undelivered one.
    for channel in SCREEN["$channel"].split("|"):
        for region in SCREEN["$country"].split("|"):
            entry = ReportedAttempt(at, channel=channel, region=region, seconds_ago="1")
            entry.report(EventKind.DELIVERED, 0.5, cost_micros="5000", units="1")
            undelivered = ReportedAttempt(at, channel=channel, region=region, seconds_ago="1")
            undelivered.report(EventKind.UNDELIVERED, 0.5, error_code="30")
    until(lambda: at.services.alerts.check() is not None and at.services.alerts.checked())
    at.services.queries.forget()

    def scrape() -> LabelValues | None:
        results: LabelValues = defaultdict(lambda: defaultdict(set))
        text = scraped(at).text
        for metric in parser.text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
            for sample in metric.samples:
                for label, value in sample.labels.items():
                    results[sample.name][label].add(value)
        return results if "30" in results["verification_window_errors"]["code"] else None

    return until(scrape) or {}


def parsed(query: str) -> promql_parser.Expr:
    for variable, value in SCREEN.items():
        query = query.replace(variable, value)
    assert "$" not in query, query
    return promql_parser.parse(query)


def nodes(query: str) -> Iterator[Any]:
    results: list[Any] = []
    promql_parser.walk(parsed(query), results.append)
    return iter(results)


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    return [entry for entry in nodes(query) if isinstance(entry, promql_parser.VectorSelector)]


def metric_queries() -> list[str]:
    """The queries of the variables: label_values(selector, label)."""
    return [
        entry["query"]["query"]
        for entry in DASHBOARD["templating"]["list"]
        if entry["type"] == "query"
    ]


def test_every_name_label_and_value_in_every_query_is_exposed(exposed: LabelValues) -> None:
    for title, query in QUERIES:
        results = selectors(query)
        assert results, title
        for selector in results:
            labels = exposed.get(selector.name or "")
            assert labels, f"{title}: {selector.name} is not exposed"
            for matcher in selector.matchers.matchers:
                values = labels.get(matcher.name)
                assert values, f"{title}: {selector.name} has no label {matcher.name}"
                for value in matcher.value.split("|"):
                    assert value in values, f"{title}: {matcher.name} is never {value}"


def test_every_label_that_is_grouped_by_or_shown_is_exposed(exposed: LabelValues) -> None:
    for title, query in QUERIES:
        for node in nodes(query):
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
                for selector in selectors(node.expr.prettify()):
                    missing = set(node.modifier.labels) - set(exposed[selector.name or ""])
                    assert not missing, f"{title}: {selector.name} has no label {missing}"
    for query, legend in LEGENDS:
        labels_shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
        by = [
            set(node.modifier.labels)
            for node in nodes(query)
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier
        ]
        assert all(labels_shown <= entry for entry in by), legend
        assert by or not labels_shown, legend


def test_the_variables_query_labels_that_are_exposed(exposed: LabelValues) -> None:
    datasources = metric_queries()
    assert len(datasources) == 3
    for query in datasources:
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert match, query
        (selector,) = selectors(match[1])
        assert match[2] in exposed[selector.name or ""]


def test_each_alert_uses_labels_that_it_has(exposed: LabelValues) -> None:
    for rule in ALERTS:
        labels_named = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        for node in nodes(rule["expr"]):
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
                assert labels_named <= set(node.modifier.labels), rule["alert"]


def test_counters_are_queried_only_for_their_increase() -> None:
    """They restart at zero, which the value alone does not show."""
    for title, query in QUERIES:
        text = parsed(query).prettify()
        for name in re.findall(r"verification_\w+(?:_total|_bucket|_sum|_count)\b", text):
            for results in re.finditer(rf"{name}\{{[^}}]*\}}(\[?)", text):
                assert results[1] == "[", f"{title}: {name} without increase or rate"


def test_the_rules_have_the_shape_that_prometheus_requires() -> None:
    assert set(RULES) == {"groups"}
    names = [rule["alert"] for rule in ALERTS]
    assert 5 < len(names) == len(set(names)) < 12
    for group in RULES["groups"]:
        assert set(group) == {"name", "rules"}
    for rule in ALERTS:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert re.fullmatch(r"Verification[A-Z]\w+", rule["alert"])
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description"}
        assert promql_parser.parse_duration(rule.get("for", "1s")) < timedelta(hours=1)
        # A rule fires on a comparison or on a missing series.
        assert re.search(r"[<>]=? |== |absent", rule["expr"])


def test_every_measure_of_the_alerts_is_forwarded_by_one_rule() -> None:
    forwarded: list[Measure] = []
    for rule in ALERTS:
        for selector in selectors(rule["expr"]):
            if selector.name == "verification_alerts":
                matcher = next(m for m in selector.matchers.matchers if m.name == "measure")
                named = {Measure(name) for name in matcher.value.split("|")}
                is_in = matcher.op == promql_parser.MatchOp.Re
                forwarded += named if is_in else set(Measure) - named
                states = next(m for m in selector.matchers.matchers if m.name == "state")
                # Not only firing: an alert that recovers has not ended.
                assert states.value.split("|") == [s for s in AlertState if s.is_alert]
    assert sorted(forwarded) == sorted(Measure)


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert DASHBOARD["id"] is None
    assert DASHBOARD["schemaVersion"] >= 39
    kinds = [(entry["name"], entry["type"]) for entry in DASHBOARD["templating"]["list"]]
    assert kinds[0] == ("datasource", "datasource")
    assert {"environment", "channel", "country"} == {
        name for name, kind in kinds if kind == "query"
    }
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        datasources = [panel["datasource"], *(entry["datasource"] for entry in panel["targets"])]
        assert datasources == [{"type": "prometheus", "uid": "${datasource}"}] * len(datasources)
        assert panel["title"]
        assert panel["description"], panel["title"]
        references = [entry["refId"] for entry in panel["targets"]]
        assert len(references) == len(set(references))


def test_no_two_panels_overlap() -> None:
    occupied: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & occupied, panel["title"]
        occupied |= cells
