"""Plivo's Account, Pricing and Lookup resources."""

from datetime import timezone

import phonenumbers
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.sandbox.api.answers import answer
from core.sandbox.api.gate import ApiGate
from core.sandbox.errors import Refusal
from core.sandbox.facts.numbers import country_of
from core.sandbox.facts.pricing import country_name, price_list, price_of

# Plivo documents "mobile" only; the other values are unverified.
_TYPES = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.TOLL_FREE: "tollfree",
}


class AccountApi:
    """The routes of the account, of prices and of Lookup; all are read-only."""

    def __init__(self, auth_id: str, zone: timezone, gate: ApiGate) -> None:
        self._auth_id = auth_id
        self._zone = zone
        self._gate = gate

    def routes(self) -> list[Route]:
        guard = self._gate.guard
        return [
            Route("/v1/Account/{auth_id}/", guard(self.account), methods=["GET"]),
            Route("/v1/Account/{auth_id}/Pricing/", guard(self.pricing), methods=["GET"]),
            Route("/v1/Number/{number}", guard(self.lookup), methods=["GET"]),
        ]

    async def account(self, request: Request) -> Response:
        return answer(
            {
                "account_type": "standard",
                "address": "",
                "auth_id": self._auth_id,
                "auto_recharge": False,
                "billing_mode": "prepaid",
                "cash_credits": "100.00000",
                "city": "",
                "name": "Sandbox",
                "resource_uri": f"/v1/Account/{self._auth_id}/",
                "state": "",
                "timezone": self._zone.tzname(None),
            }
        )

    async def pricing(self, request: Request) -> Response:
        country = request.query_params.get("country_iso", "")
        prices = price_list(country)
        if prices is None:
            raise Refusal(400, "country_iso must be the ISO code of a country")
        return answer(prices)

    async def lookup(self, request: Request) -> Response:
        digits = request.path_params["number"].lstrip("+")
        country = country_of(digits) if digits.isdigit() else None
        if country is None:
            # Only Lookup has errors of this form.
            text = f"Phone number {digits[:20]} is invalid or does not exist."
            return answer({"error_code": 404, "message": text}, 404)
        parsed, price = phonenumbers.parse(f"+{digits}"), price_of(country)
        kind = _TYPES.get(phonenumbers.number_type(parsed), "mobile")
        formats = {
            name: phonenumbers.format_number(parsed, form)
            for name, form in (
                ("e164", PhoneNumberFormat.E164),
                ("national", PhoneNumberFormat.NATIONAL),
                ("international", PhoneNumberFormat.INTERNATIONAL),
                ("rfc3966", PhoneNumberFormat.RFC3966),
            )
        }
        return answer(
            {
                "phone_number": formats["e164"],
                "country": {"name": country_name(country), "iso2": country, "iso3": ""},
                "format": formats,
                "carrier": {
                    "mobile_country_code": price.mcc,
                    "mobile_network_code": price.mnc,
                    "name": price.network,
                    "type": kind,
                    "ported": "no",
                },
                "resource_uri": f"/v1/Number/{formats['e164']}?type=carrier",
            }
        )
