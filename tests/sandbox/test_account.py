"""Account, Pricing and Lookup."""

import pytest

from .support import AUTH_ID, Api


def test_the_account_shows_its_fields(api: Api) -> None:
    account = api.get("/").json()
    assert account["auth_id"] == AUTH_ID
    assert account["resource_uri"] == f"/v1/Account/{AUTH_ID}/"
    assert {"api_id", "cash_credits", "timezone", "billing_mode", "account_type"} <= set(account)


def test_prices_of_a_country_are_strings_of_five_decimals(api: Api) -> None:
    prices = api.get("/Pricing/", country_iso="US").json()
    assert (prices["country"], prices["country_code"]) == ("United States", 1)
    assert prices["message"]["outbound"]["rate"] == "0.00770"
    assert prices["message"]["outbound_networks_list"][0]["group_name"] == "Verizon"
    assert prices["voice"]["outbound"]["rates"][0] == {"prefix": ["1"], "rate": "0.01000"}


def test_an_unlisted_country_has_a_price(api: Api) -> None:
    assert api.get("/Pricing/", country_iso="IS").json()["message"]["outbound"]["rate"] == "0.08000"


@pytest.mark.parametrize("query", [{}, {"country_iso": "XX"}])
def test_an_unknown_country_has_no_price(api: Api, query: dict[str, str]) -> None:
    assert api.get("/Pricing/", **query).status_code == 400


@pytest.mark.parametrize(
    ("number", "country", "kind"),
    [("442079460123", "GB", "fixed"), ("+447400123456", "GB", "mobile"), ("14155550123", "US", "")],
)
def test_lookup_names_country_format_and_carrier(
    api: Api, number: str, country: str, kind: str
) -> None:
    lookup = api.http.get(f"/v1/Number/{number}", params={"type": "carrier"}).json()
    assert lookup["phone_number"] == "+" + number.lstrip("+")
    assert lookup["country"]["iso2"] == country
    assert lookup["format"]["rfc3966"].startswith("tel:+")
    assert kind in lookup["carrier"]["type"]


@pytest.mark.parametrize("number", ["hello", "0000", "999999999999"])
def test_errors_of_lookup_have_their_own_form(api: Api, number: str) -> None:
    answer = api.http.get(f"/v1/Number/{number}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"api_id", "error_code", "message"}
