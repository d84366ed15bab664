"""Chaos as the app sees it: words, presets, the band, and what the Delivery page then shows."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from websockets.sync.client import connect

from core.figures.ranges import Preset, preset
from core.figures.rates import Rate
from core.lab.chaos_rules import PRESETS, carriers_in, complete, with_rule, without_rule
from core.lab.sandbox_client import SandboxError
from core.model.way import Way
from core.panels.chaos_sends import send_rows
from core.sandbox.chaos.chaos import Draw
from core.sandbox.chaos.document import PARAMETERS
from core.sandbox.facts import numbers as sandbox_numbers
from core.sandbox.facts.effects import EffectChannel, EffectKind
from core.verification.number.parse import parse_number
from core.wording.chaos import EFFECTS, ONLY, band_words, rule_words
from tests.world import PATIENCE_SECONDS, MovableClock, World, until, world

UTC_ZONE = ZoneInfo("UTC")


@pytest.fixture
def calm(at: World) -> Iterator[World]:
    yield at
    at.services.sandbox.stop_chaos()


def set_rules(at: World, *rules: dict[str, Any]) -> dict[str, Any]:
    return at.services.sandbox.set_chaos({"seed": 4711, "rules": rules})


def test_every_effect_has_a_name_and_a_sentence_of_its_own_that_the_sandbox_accepts(
    calm: World,
) -> None:
    assert set(EFFECTS) == set(EffectKind)
    only = {kind: str(kind.channels[0]) for kind in EffectKind if len(kind.channels) == 1}
    assert only == ONLY
    rules = [dict(complete({"effect": effect})) for effect in EFFECTS]
    document = set_rules(calm, *rules)
    sentences = {rule_words(rule) for rule in document["rules"]}
    assert len(sentences) == len(EFFECTS)
    for rule in document["rules"]:
        fields = set(PARAMETERS.get(EffectKind(rule["effect"]), ())) - {"state"}
        assert fields <= set(complete({"effect": rule["effect"]}))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_accepted(calm: World, name: str) -> None:
    (rule,) = set_rules(calm, dict(PRESETS[name]))["rules"]
    assert rule_words(rule)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (
            {"effect": "not_delivered", "probability": 0.3, "country": "DE", "carrier": "Vodafone"},
            "30 % of messages to Vodafone in Germany are lost (error 20)",
        ),
        ({"effect": "hangup", "hangup_cause_code": 3010}, "All calls are busy"),
        (
            {"effect": "hangup", "hangup_cause_code": 3080, "via": "phlo"},
            "All calls by PHLO end as “Internal server error from carrier” (3080)",
        ),
        (
            {"effect": "http_status", "status": 503, "probability": 0.005, "country": "FR"},
            "0.5 % of messages and calls to France are refused by Plivo with HTTP status 503",
        ),
        (
            {"effect": "delay", "channel": "sms", "seconds": 2, "spread_seconds": 3},
            "All messages arrive 2 to 5 s late",
        ),
        (
            {"effect": "delay", "channel": "call", "seconds": 0, "tail_seconds": 9},
            "All calls ring late, by 9 s on average",
        ),
    ],
)
def test_a_rule_is_a_sentence(rule: dict[str, Any], words: str) -> None:
    whole = complete(rule)
    if rule["effect"] == "not_delivered":
        whole = {**whole, "state": "undelivered"}
    assert rule_words(whole) == words
    assert band_words([whole, whole, whole]) == f"{words} · and 2 more rules"


def test_rules_are_added_changed_and_removed() -> None:
    document = {"on": False, "seed": 1, "revision": 3, "rules": [{"effect": "held"}]}
    added = with_rule(document, {"effect": "delay"})
    assert added == {**document, "on": True, "rules": [{"effect": "held"}, {"effect": "delay"}]}
    changed = with_rule(added, {"effect": "silence"}, 0)
    assert changed["rules"] == [{"effect": "silence"}, {"effect": "delay"}]
    assert without_rule(changed, 1)["rules"] == [{"effect": "silence"}]


@pytest.mark.parametrize(
    "number",
    ["+4915201234567", "+491601234567", "+447400123456", "+2348031234567", "+14155550123",
     "+919810012345", "+33612345678", "+5511961234567"],
)  # fmt: skip
def test_the_sandbox_names_country_and_carrier_as_the_delivery_page_does(number: str) -> None:
    parsed = parse_number(number, default_region=None)
    assert sandbox_numbers.country_of(number[1:]) == parsed.region
    assert sandbox_numbers.carrier_of(number[1:]) == parsed.carrier
    if parsed.carrier:
        assert parsed.carrier in carriers_in(parsed.region)
    assert set(carriers_in(parsed.region)) == sandbox_numbers.carriers_in(parsed.region)


def test_an_open_window_is_notified_when_chaos_begins_changes_and_ends(calm: World) -> None:
    address = calm.address.replace("http", "ws", 1)
    with connect(f"{address}/live-chaos") as first, connect(f"{address}/live-chaos") as second:
        windows = (first, second)

        def words() -> list[str]:
            return [json.loads(window.recv(PATIENCE_SECONDS))["words"] for window in windows]

        assert words() == ["", ""]
        set_rules(calm, {"effect": "held", "country": "DE"})
        assert words() == ["All messages to Germany are held until a status is pushed"] * 2
        assert calm.services.chaos.latest.startswith("All messages to Germany")
        calm.services.chaos.turn_off()
        assert words() == ["", ""]
    document = calm.services.sandbox.chaos()
    assert (document["on"], len(document["rules"])) == (False, 1)


def test_a_change_of_an_old_revision_has_a_status_of_its_own(calm: World) -> None:
    old = set_rules(calm, {"effect": "held"})
    calm.services.chaos.turn_off()
    with pytest.raises(SandboxError) as refused:
        calm.services.sandbox.set_chaos({**old, "rules": []})
    assert refused.value.status == 409


@pytest.mark.parametrize(
    ("way", "rule", "status", "state"),
    [
        (Way.SMS, {"effect": "held"}, "delivered", "delivered"),
        (Way.SMS, {"effect": "held"}, "undelivered", "undelivered"),
        (Way.VOICE, {"effect": "delay", "seconds": 3600}, "ended", "failed"),
    ],
)
def test_a_pushed_status_reaches_the_attempt(
    calm: World, way: Way, rule: dict[str, Any], status: str, state: str
) -> None:
    set_rules(calm, rule)
    number = calm.number()
    verification = calm.started(number, way)

    def listed() -> dict[str, Any] | None:
        sends = calm.services.sandbox.sends()
        return next((send for send in sends if send["number"] == number[1:]), None)

    send = until(listed)
    assert send is not None
    (row, *_) = send_rows([send], UTC_ZONE)
    assert number[1:] not in row.words
    assert status in row.next
    more = {"hangup_cause_code": 5000} if status == "ended" else {}
    pushed = calm.services.sandbox.push_status(row.channel, row.uuid, status, **more)
    assert pushed["status"] == status
    until(lambda: calm.look(verification).attempts[-1].state.value == state)


def test_the_effects_on_a_send_are_read_from_the_sandbox_once(calm: World) -> None:
    set_rules(calm, {"effect": "held", "country": "DE"})
    held, other = (calm.look(calm.started(number)) for number in ("+4915201234555", calm.number()))
    references = [view.attempts[0].reference for view in (held, other)]

    def effects() -> list[str]:
        return [calm.services.chaos.effects_on(reference) for reference in references]

    assert effects() == ["Held until a status is pushed", ""]
    # They were decided as the send was accepted: a report of many attempts does not ask again.
    calm.services.sandbox.delete_logs()
    assert effects() == ["Held until a status is pushed", ""]
    assert [calm.services.chaos.effects_on(text) for text in ("", "unknown")] == ["", ""]


LOSS = 0.3
SENDS, OTHERS = 100, 30


def test_with_a_loss_on_one_carrier_its_interval_contains_the_loss(
    tmp_path: Path, redis_url: str, client: object
) -> None:
    """Through the whole product: start, SDK, sandbox, callbacks, ledger and figures."""
    with world(tmp_path, redis_url, MovableClock(), sandbox_budgets="warn") as at:
        rule = {"effect": "not_delivered", "country": "DE", "carrier": "Vodafone"}
        at.services.sandbox.set_chaos({"seed": 1, "rules": [{**rule, "probability": LOSS}]})
        numbers = [f"+491520{n:05}55" for n in range(SENDS)]
        others = [f"+491601{n:05}55" for n in range(OTHERS)]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(at.started, [*numbers, *others]))
        period = preset(Preset.HOUR, at.clock.now() + timedelta(seconds=60), UTC_ZONE)

        def by_carrier() -> pd.DataFrame:
            at.services.fold.settle()
            at.services.queries.forget()
            return at.services.queries.by_country(period)

        def are_settled() -> bool:
            frame = by_carrier()
            ended = frame["delivered"] + frame["undelivered"]
            return int(ended.get(("DE", ""), 0)) == SENDS + OTHERS

        until(are_settled)
        frame = by_carrier()
        requested, lost = frame["requested"].to_dict(), frame["undelivered"].to_dict()
        lossy, other = ("DE", "Vodafone"), ("DE", "T-Mobile")
        assert (requested[lossy], requested[other]) == (SENDS, OTHERS)
        rate = Rate(int(lost[lossy]), SENDS)
        assert rate.low <= LOSS <= rate.high
        assert lost[other] == 0
        # The numbers and the seed decide which are lost, so this is the same in every run.
        assert lost[lossy] == expected_losses(numbers)


def expected_losses(numbers: list[str]) -> int:
    sms = EffectChannel.SMS
    draws = [Draw(f"1|0|{sms}|{number[1:]}|1").number("hit") for number in numbers]
    return sum(draw < LOSS for draw in draws)
