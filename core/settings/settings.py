"""Every setting: its name, type, limits, default and meaning. `reading.py` reads their values.

A setting's variable is its name in capitals.
"""

from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import phonenumbers
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.settings.choices import PlivoMode, SandboxBudgets, VerifyAccess
from core.settings.fields import number, optional
from core.settings.own_phones import OwnPhones
from core.settings.secret_file import MIN_SECRET_LENGTH
from core.settings.values import (
    E164,
    AlertUrls,
    AuthId,
    Brand,
    Cooldowns,
    FixedNumbers,
    HostName,
    PasswordHash,
    PhloId,
    RedisUrl,
    Region,
    Regions,
    Template,
    WebhookSecret,
    WebhookUrl,
    WebUrl,
    is_plivo,
    is_private,
)

#: The sandbox's sender (a fictitious number), its Auth ID and its PHLO.
SANDBOX_NUMBER = "+14155550100"
SANDBOX_AUTH_ID = "MASANDBOX00000000000"
SANDBOX_PHLO_ID = "5a4db0c5-0000-4000-8000-000000000001"

_KEY_COMMAND = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
_WEBHOOK_KEY_COMMAND = (
    "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
)


class Settings(BaseSettings):
    """All settings. Takes its values from arguments only; `read_settings` reads the sources."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )

    redis_url: RedisUrl | None = Field(None, repr=False)
    """Address of Redis (forms: `redis_address.py`). Not set: an embedded server is started."""
    data_dir: Path = Path(".data")
    """Folder of the embedded Redis, the sandbox and the sandbox's key; relative to the project."""
    secret_key: SecretStr | None = optional(
        f"at least {MIN_SECRET_LENGTH} characters; make one with: {_KEY_COMMAND}",
        min_length=MIN_SECRET_LENGTH,
    )
    """Key from which all codes, digests and tokens are derived. The sandbox creates its own."""

    admin_password_hash: PasswordHash | None = Field(None, repr=False)
    """Hash of the operator's password. Not set: when live, the operator's pages stay closed."""
    verify_access: VerifyAccess | None = optional("password, invite or open")
    """Who may send from the Verify page. Not set: password when live, open in the sandbox."""
    seed_api: bool = Field(False, json_schema_extra={"rule": "true or false"})
    """Whether the GET routes of the older demo are served when live, to bearers of a token."""

    webhook_url: WebhookUrl | None = Field(None, repr=False)
    """Address that receives webhooks. Not set: no webhook is queued or sent."""
    webhook_secret: WebhookSecret | None = None
    """Secret that signs webhooks. Not set: in the sandbox, derived from its key."""
    alert_urls: AlertUrls = Field((), repr=False)
    """Addresses of apprise, separated by spaces, that alerts are sent to."""

    api_requests_per_minute: int = number(600, 1, 1_000_000)
    """Requests of one token to the REST API per minute."""

    plivo_auth_id: AuthId | None = None
    """Plivo's Auth ID."""
    plivo_auth_token: SecretStr | None = optional(
        "the Auth Token of the Plivo console", min_length=1
    )
    """Plivo's Auth Token: it also signs callbacks."""
    plivo_number: E164 | None = None
    """The number that messages and calls come from, in E.164."""
    phlo_id: PhloId | None = None
    """The PHLO to run. Not set: PHLO is not offered when live."""
    plivo_mode: PlivoMode | None = optional("sandbox or live")
    """Forces the sandbox or the real Plivo. Not set: live if both credentials are set."""
    plivo_connect_seconds: float = number(3.05, 0.1, 30)
    """Time-out of a connection to Plivo, in seconds."""
    plivo_read_seconds: float = number(10.0, 1, 60)
    """Time-out of an answer of Plivo, in seconds."""
    public_url: WebUrl | None = None
    """Address at which Plivo reaches this application. Not set: messages are polled."""
    sandbox_url: WebUrl | None = None
    """Address of a sandbox that runs alone. Not set: the one inside this application."""
    sandbox_speed: float = number(1.0, 0.1, 1000)
    """How many times faster than real time the sandbox's carrier is."""
    sandbox_budgets: SandboxBudgets = Field(
        SandboxBudgets.WARN, json_schema_extra={"rule": "warn or enforce"}
    )
    """Whether a spent budget warns or refuses in the sandbox. When live, it refuses."""
    test_numbers: FixedNumbers = Field((), repr=False)
    """Numbers with a fixed code, for tests. The sandbox only: refused when live."""
    test_phones: OwnPhones = Field((), repr=False)
    """The team's own handsets, for manual test sessions: labels with their numbers."""

    brand: Brand = "Acme"
    """The name of the sender in messages and calls."""
    sms_template: Template = (
        "__code__ is your __brand__ verification code. It expires in __minutes__ minutes."
    )
    """Text of the message, with placeholders __code__, __brand__ and __minutes__."""
    origin_host: HostName | None = None
    """Host in the message's last line, "@host #code": browsers offer the code on that site only."""
    default_region: Region | None = None
    """Country of a number that is typed without its country code."""
    countries: Regions = ()
    """Countries that may be verified. Empty: all in the sandbox, the sender's own when live."""

    code_length: int = number(6, 4, 10)
    """Digits of a code. Under 6 is allowed, with a warning."""
    lifetime_seconds: int = number(
        300, 30, 600, why=" (NIST SP 800-63B: a code is valid for 10 minutes at most)"
    )
    """How long a code is valid, in seconds."""
    checks_per_verification: int = number(5, 1, 10)
    """Checks per verification; the right code on the last one is accepted."""
    failed_checks_per_hour: int = number(10, 1, 100)
    """Wrong codes per number and client address in any hour."""
    failed_checks_per_day: int = number(
        20, 1, 100, why=" (NIST SP 800-63B: at most 100 failed guesses in a row)"
    )
    """Wrong codes per number in any 24 hours."""
    sends_per_10_minutes: int = number(5, 1, 1000)
    """Messages and calls per number in any 10 minutes."""
    sends_per_day: int = number(10, 1, 10_000)
    """Messages and calls per number in any 24 hours."""
    refused_sends_per_hour: int = number(10, 1, 1000)
    """Sends per number in any hour that Plivo refused. They cost nothing and are limited too."""
    sends_per_address_per_hour: int = number(20, 1, 1_000_000)
    """Messages and calls per client address in any hour."""
    sends_per_prefix_per_hour: int = number(30, 1, 1_000_000)
    """Messages and calls per prefix (a number less its last 4 digits) in any hour."""
    sends_per_country_per_hour: int = number(500, 1, 10_000_000)
    """Messages and calls per country in any hour."""
    spend_per_day: Decimal = number(Decimal(50), 0, 1_000_000)
    """What messages and calls of one UTC day may cost, in US dollars."""
    assumed_price: Decimal = number(Decimal("0.05"), 0, 100)
    """US dollars booked for each send against that: the price of your most expensive country."""
    resend_cooldowns: Cooldowns = (30, 40, 60, 90, 120)
    """Seconds to wait after the first, second, … send of a verification; the last one repeats."""
    call_after_seconds: int = number(10, 0, 600)
    """Seconds without a delivery report until a call is offered."""
    target_confirmed: float = number(95.0, 0, 100)
    """Target of the confirmed rate on the Delivery page, in percent; 0 for none."""
    target_within_30: float = number(90.0, 0, 100)
    """Target of the share of attempts delivered within 30 seconds, in percent; 0 for none."""
    target_conversion: float = number(75.0, 0, 100)
    """Target of the conversion, in percent; 0 for none."""
    log_sync_minutes: int = number(10, 1, 1440)
    """Minutes between two readings of Plivo's message and call logs."""
    attempt_retention_days: int = number(7, 1, 90)
    """Days for which an attempt's record is kept; its figures are kept for 400."""
    attempts_kept: int = number(100_000, 100, 10_000_000)
    """How many attempts are kept, the newest ones, within those days."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        # Arguments only, so that tests never use the developer's credentials.
        return (init_settings,)

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        credentials = {
            "PLIVO_AUTH_ID": self.plivo_auth_id,
            "PLIVO_AUTH_TOKEN": self.plivo_auth_token,
        }
        missing = [name for name, value in credentials.items() if value is None]
        live = self.mode is PlivoMode.LIVE
        problems = []
        if len(missing) == 1 or (live and missing):
            problems.append(f"{' and '.join(missing)} must be set; copy it from the Plivo console.")
        if live and self.plivo_number is None:
            problems.append("PLIVO_NUMBER must be set to a number of the Plivo account.")
        if live and self.secret_key is None:
            problems.append(f"SECRET_KEY must be set; make one with: {_KEY_COMMAND}")
        if live and self.plivo_number and not self.countries and not self.sender_region:
            problems.append("COUNTRIES must be set, because PLIVO_NUMBER belongs to no country.")
        if live and self.webhook_url and not is_private(self.webhook_url):
            problems.append("WEBHOOK_URL must begin with https:// unless it is of this machine.")
        if live and self.webhook_url and self.webhook_secret is None:
            problems.append(f"WEBHOOK_SECRET must be set; make one with: {_WEBHOOK_KEY_COMMAND}")
        if live and self.test_numbers:
            problems.append(
                "TEST_NUMBERS must not be set when live: everyone who knows a fixed code could "
                "verify its number. Remove it, or set PLIVO_MODE=sandbox."
            )
        if live and self.sandbox_url:
            problems.append(
                "SANDBOX_URL must not be set when live: the real Plivo would be used in spite of "
                "it. Remove it, or set PLIVO_MODE=sandbox."
            )
        elif self.sandbox_url and is_plivo(self.sandbox_url):
            problems.append(
                "SANDBOX_URL must not be Plivo's own address: messages would cost money while the "
                "pages say that nothing leaves this machine. Remove it."
            )
        problems += [
            f"TEST_NUMBERS must have codes of CODE_LENGTH={self.code_length} digits; entry "
            f"{place} has {len(entry.code.get_secret_value())}."
            for place, entry in enumerate(self.test_numbers, 1)
            if len(entry.code.get_secret_value()) != self.code_length
        ]
        if problems:
            raise ValueError(" ".join(problems))
        return self

    @property
    def mode(self) -> PlivoMode:
        """PLIVO_MODE, else live if and only if both credentials are set."""
        if self.plivo_mode is not None:
            return self.plivo_mode
        live = self.plivo_auth_id is not None and self.plivo_auth_token is not None
        return PlivoMode.LIVE if live else PlivoMode.SANDBOX

    @property
    def is_sandbox(self) -> bool:
        return self.mode is PlivoMode.SANDBOX

    @property
    def enforces_budgets(self) -> bool:
        """Whether a spent budget refuses: always when live."""
        return not self.is_sandbox or self.sandbox_budgets is SandboxBudgets.ENFORCE

    @property
    def effective_access(self) -> VerifyAccess:
        """VERIFY_ACCESS, else `open` in the sandbox and `password` when live."""
        if self.verify_access is not None:
            return self.verify_access
        return VerifyAccess.OPEN if self.is_sandbox else VerifyAccess.PASSWORD

    @property
    def operator_pages_open(self) -> bool:
        """Whether the operator's pages need no password: in the sandbox, unless VERIFY_ACCESS
        is set to try the live behaviour there."""
        return self.is_sandbox and self.effective_access is VerifyAccess.OPEN

    @property
    def sender(self) -> str:
        """The number that messages and calls come from, in E.164."""
        return self.plivo_number or SANDBOX_NUMBER

    @property
    def auth_id(self) -> str:
        """The Auth ID in use; its token is `auth_token(settings)`."""
        return self.plivo_auth_id or SANDBOX_AUTH_ID

    @property
    def effective_phlo_id(self) -> str | None:
        """The PHLO to run, in the sandbox its own; None: PHLO is not offered."""
        return self.phlo_id or (SANDBOX_PHLO_ID if self.is_sandbox else None)

    @property
    def lifetime_minutes(self) -> int:
        """The lifetime for the message, in whole minutes: rounded down, at least 1."""
        return max(1, self.lifetime_seconds // 60)

    @property
    def webhook_host(self) -> str | None:
        """The host of WEBHOOK_URL, the only part that may be shown; None: not set."""
        return urlsplit(self.webhook_url).hostname if self.webhook_url else None

    @property
    def plivo_timeout(self) -> tuple[float, float]:
        """Time-outs of a connection to Plivo and of its answer, in seconds."""
        return self.plivo_connect_seconds, self.plivo_read_seconds

    @cached_property
    def allowed_countries(self) -> frozenset[str] | None:
        """ISO codes of the countries that may be verified; None: all of them."""
        if self.countries:
            return frozenset(self.countries)
        return None if self.is_sandbox else frozenset({self.sender_region})

    @property
    def sender_region(self) -> str:
        """The sender's country; "" for a number that belongs to no country, such as +883."""
        region = phonenumbers.region_code_for_number(phonenumbers.parse(self.sender))
        return region if region in phonenumbers.SUPPORTED_REGIONS else ""

    @property
    def warnings(self) -> list[str]:
        """Sentences for the operator about settings that are allowed and weak."""
        warnings = []
        if self.code_length < 6:
            warnings.append(
                f"CODE_LENGTH is {self.code_length}: under 6 digits, a code is easier to guess."
            )
        if not self.is_sandbox and self.effective_access is VerifyAccess.OPEN:
            warnings.append(
                "VERIFY_ACCESS is open: every visitor of this page can send messages and calls "
                "that this account pays for."
            )
        return warnings

    @property
    def start_warnings(self) -> list[str]:
        """The warnings for the log at the start: those above, and what the pages say themselves."""
        warnings = self.warnings
        if self.admin_password_hash is None and not self.operator_pages_open:
            warnings.append(
                "ADMIN_PASSWORD_HASH is not set, so sign-in is not possible: the operator's pages "
                "stay closed, and no invite can be made. Make one with: "
                "python -m core hash-password"
            )
        return warnings
