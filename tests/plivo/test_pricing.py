"""Plivo's prices: read aside, never waited for, and nothing odd is shown."""

import json
from decimal import Decimal
from typing import Any

import pytest
from plivo.base import ResponseObject

from core.model.errors import ProviderRead
from core.panels.spending import badge_of
from core.plivo.pricing import FRESH, RETRY, Price, Prices, _price
from core.settings.settings import Settings
from tests.world import World, until


def test_a_price_is_read_by_another_thread_and_then_known(at: World) -> None:
    prices = Prices(at.services.clients, at.clock)
    assert prices.of("DE") is None
    assert until(lambda: prices.of("DE")) == Price(
        Decimal("0.09900"), Decimal("0.09900"), Decimal("0.02100"), Decimal("0.02100")
    )
    at.clock.advance(FRESH)
    assert prices.of("DE") is not None  # the old one is shown while a new one is read


def test_a_country_that_plivo_does_not_price_is_asked_for_again_later(
    at: World, caplog: pytest.LogCaptureFixture
) -> None:
    prices = Prices(at.services.clients, at.clock)
    refused = "price not read"
    prices.of("XX")
    until(lambda: refused in caplog.text)
    caplog.clear()
    prices.of("XX")
    at.clock.advance(RETRY)
    until(lambda: prices.of("XX") is None and refused in caplog.text)
    assert prices.of("") is None


def answer(message: Any, networks: Any = (), minute: Any = "0.01") -> ResponseObject:
    """The response object of the SDK."""
    body = {
        "message": {"outbound": {"rate": message}, "outbound_networks_list": networks},
        "voice": {"outbound": {"local": {"rate": minute}}},
    }
    response: ResponseObject = json.loads(json.dumps(body), object_hook=ResponseObject)
    return response


def test_different_networks_give_a_lowest_and_a_highest_price() -> None:
    networks = [{"group_name": "a", "rate": "0.02"}, {"group_name": "b", "rate": "0.005"}]
    price = _price(answer("0.01", networks))
    assert (price.message_from, price.message_to) == (Decimal("0.005"), Decimal("0.02"))


@pytest.mark.parametrize("odd", ["nan", "-1", "inf", "", None, "free", {}, []])
def test_an_unreadable_price_is_refused(odd: object) -> None:
    for response in (answer(odd), answer("0.01", minute=odd), answer("0.01", [{"rate": odd}])):
        with pytest.raises(ProviderRead):
            _price(response)


def live(**more: Any) -> Settings:
    return Settings(
        plivo_auth_id="MAXXXXXXXXXXXXXXXXXX", plivo_auth_token="0" * 40,
        plivo_number="+14155550100", secret_key="k" * 40, **more,
    )  # fmt: skip


def test_the_badge_has_the_price_of_a_send_and_the_spend_of_today(at: World) -> None:
    at.start(at.number())
    s = at.services
    prices = Prices(s.clients, at.clock)
    assumed = badge_of(live(), s.verifications, prices, "DE")
    assert assumed.is_live
    assert assumed.words == (
        "Germany: a message or call about $0.05 (assumed) · today $0.05 of $50.00"
    )
    until(lambda: prices.of("DE"))
    assert badge_of(live(), s.verifications, prices, "DE").words == (
        "Germany: message $0.099, call $0.021 a minute · today $0.05 of $50.00"
    )
    assert "United States" in badge_of(live(), s.verifications, prices, None).words


def test_the_badge_of_the_sandbox_says_that_nothing_leaves(at: World) -> None:
    s = at.services
    badge = badge_of(s.settings, s.verifications, s.prices, "DE")
    assert (badge.mark, badge.words) == ("Sandbox", "Nothing leaves this machine.")


def test_open_access_live_is_warned_of_and_others_are_not() -> None:
    assert any("VERIFY_ACCESS" in one for one in live(verify_access="open").warnings)
    for settings in (live(), live(verify_access="invite"), Settings(verify_access="open")):
        assert not settings.warnings
