"""The Grafana dashboard and the alert rules ask for nothing that /metrics does not tell."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import promql_parser
import pytest
import yaml  # type: ignore[import-untyped]
from prometheus_client.openmetrics import parser

from core.model.attempt import EventKind
from core.web.metrics import route
from tests.figures.test_rollups import Told as Attempted
from tests.web.metrics.scraping import scraped
from tests.world import World, until

FOLDER = route.__file__.rpartition("/")[0]
#: What Grafana puts in the place of its variables.
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
QUERIES = [(panel["title"], one["expr"]) for panel in PANELS for one in panel["targets"]]
QUERIES += [(rule["alert"], rule["expr"]) for rule in ALERTS]
LEGENDS = [(one["expr"], one["legendFormat"]) for panel in PANELS for one in panel["targets"]]

Told = dict[str, dict[str, set[str]]]


@pytest.fixture
def told(at: World) -> Told:
    """Of each name in a real exposition, its labels and their values."""
    # A moment only: what other tests sent would fill pages, and those have a limit a minute.
    at.services.logs.run(at.clock.now() - timedelta(milliseconds=1))
    at.services.sample.load(days=2, per_day=200)
    # For the last hour and for today, whatever time it is: of each of SCREEN, one that arrives and
    # one that does not.
    for channel in SCREEN["$channel"].split("|"):
        for region in SCREEN["$country"].split("|"):
            one = Attempted(at, channel=channel, region=region, seconds_ago="1")
            one.say(EventKind.DELIVERED, 0.5, cost_micros="5000", units="1")
            lost = Attempted(at, channel=channel, region=region, seconds_ago="1")
            lost.say(EventKind.UNDELIVERED, 0.5, error_code="30")
    until(lambda: at.services.alerts.check() is not None and at.services.alerts.checked())
    at.services.queries.forget()

    def scrape() -> Told | None:
        found: Told = defaultdict(lambda: defaultdict(set))
        text = scraped(at).text
        for metric in parser.text_string_to_metric_families(text):  # type: ignore[no-untyped-call]
            for sample in metric.samples:
                for label, value in sample.labels.items():
                    found[sample.name][label].add(value)
        return found if "30" in found["verification_window_errors"]["code"] else None

    return until(scrape) or {}


def parsed(query: str) -> promql_parser.Expr:
    for variable, value in SCREEN.items():
        query = query.replace(variable, value)
    assert "$" not in query, query
    return promql_parser.parse(query)


def nodes(query: str) -> Iterator[Any]:
    found: list[Any] = []
    promql_parser.walk(parsed(query), found.append)
    return iter(found)


def selectors(query: str) -> list[promql_parser.VectorSelector]:
    return [one for one in nodes(query) if isinstance(one, promql_parser.VectorSelector)]


def metric_queries() -> list[str]:
    """What the variables ask for: label_values(selector, label)."""
    return [
        one["query"]["query"] for one in DASHBOARD["templating"]["list"] if one["type"] == "query"
    ]


def test_every_name_label_and_value_in_every_query_is_told(told: Told) -> None:
    for title, query in QUERIES:
        found = selectors(query)
        assert found, title
        for selector in found:
            labels = told.get(selector.name or "")
            assert labels, f"{title}: {selector.name} is not told"
            for matcher in selector.matchers.matchers:
                values = labels.get(matcher.name)
                assert values, f"{title}: {selector.name} has no label {matcher.name}"
                for value in matcher.value.split("|"):
                    assert value in values, f"{title}: {matcher.name} is never {value}"


def test_every_label_that_is_grouped_by_or_shown_is_told(told: Told) -> None:
    for title, query in QUERIES:
        for node in nodes(query):
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
                for selector in selectors(node.expr.prettify()):
                    missing = set(node.modifier.labels) - set(told[selector.name or ""])
                    assert not missing, f"{title}: {selector.name} has no label {missing}"
    for query, legend in LEGENDS:
        shown = set(re.findall(r"\{\{(\w+)\}\}", legend))
        by = [
            set(node.modifier.labels)
            for node in nodes(query)
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier
        ]
        assert all(shown <= one for one in by), legend
        assert by or not shown, legend


def test_the_variables_ask_for_labels_that_are_told(told: Told) -> None:
    asked = metric_queries()
    assert len(asked) == 3
    for query in asked:
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
        assert match, query
        (selector,) = selectors(match[1])
        assert match[2] in told[selector.name or ""]


def test_each_alert_names_labels_that_it_has(told: Told) -> None:
    for rule in ALERTS:
        wanted = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        for node in nodes(rule["expr"]):
            if isinstance(node, promql_parser.AggregateExpr) and node.modifier:
                assert wanted <= set(node.modifier.labels), rule["alert"]


def test_counters_are_only_asked_for_their_increase() -> None:
    """They begin again at zero, which the value alone does not show."""
    for title, query in QUERIES:
        text = parsed(query).prettify()
        for name in re.findall(r"verification_\w+(?:_total|_bucket|_sum|_count)\b", text):
            for found in re.finditer(rf"{name}\{{[^}}]*\}}(\[?)", text):
                assert found[1] == "[", f"{title}: {name} without increase or rate"


def test_the_rules_have_the_shape_that_prometheus_wants() -> None:
    assert set(RULES) == {"groups"}
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names)) > 10
    for group in RULES["groups"]:
        assert set(group) == {"name", "rules"}
    for rule in ALERTS:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert re.fullmatch(r"Verification[A-Z]\w+", rule["alert"])
        assert rule["labels"]["severity"] in SEVERITIES
        assert set(rule["annotations"]) == {"summary", "description"}
        assert promql_parser.parse_duration(rule.get("for", "1s")) < timedelta(hours=1)
        # What fires is a comparison, or that there is nothing.
        assert re.search(r"[<>]=? |== |absent", rule["expr"])


def test_a_drop_is_compared_with_last_week_and_wants_an_n() -> None:
    for rule in ALERTS:
        if "offset 1w" in rule["expr"]:
            least = [int(n) for n in re.findall(r">= (\d+)", rule["expr"])]
            assert least, rule["alert"]
            assert min(least) >= 20


def test_the_dashboard_can_be_imported_anywhere() -> None:
    assert DASHBOARD["id"] is None
    assert DASHBOARD["schemaVersion"] >= 39
    kinds = [(one["name"], one["type"]) for one in DASHBOARD["templating"]["list"]]
    assert kinds[0] == ("datasource", "datasource")
    assert {"environment", "channel", "country"} == {
        name for name, kind in kinds if kind == "query"
    }
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in PANELS:
        asked = [panel["datasource"], *(one["datasource"] for one in panel["targets"])]
        assert asked == [{"type": "prometheus", "uid": "${datasource}"}] * len(asked)
        assert panel["title"]
        assert panel["description"], panel["title"]
        references = [one["refId"] for one in panel["targets"]]
        assert len(references) == len(set(references))


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
