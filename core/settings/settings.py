"""Every setting, read once: the only way to the environment, `.env` and `secrets.toml`.

A setting's variable is its name in capitals. The environment goes before `.env`, and that before
`.streamlit/secrets.toml`; an empty value counts as not set, and what is not ours is ignored. Wrong
values are refused all at once, at the start.
"""

import hmac
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import phonenumbers
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from core.model.errors import SettingsRefused
from core.settings.secret_file import SHORTEST, kept_secret
from core.settings.sources import given_values
from core.settings.values import (
    E164,
    AuthId,
    Brand,
    Cooldowns,
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
    is_private,
)

#: What the sandbox sends from, a fictitious number, and the credentials and the PHLO it answers to.
SANDBOX_NUMBER = "+14155550100"
SANDBOX_AUTH_ID = "MASANDBOX00000000000"
SANDBOX_PHLO_ID = "5a4db0c5-0000-4000-8000-000000000001"

_SECRETS = {
    "plivo_auth_token",
    "secret_key",
    "redis_url",
    "admin_password_hash",
    "webhook_url",
    "webhook_secret",
}
_MAKE_A_KEY = 'python -c "import secrets; print(secrets.token_urlsafe(48))"'
_MAKE_A_WEBHOOK_KEY = (
    "python -c \"import base64, os; print('whsec_' + base64.b64encode(os.urandom(32)).decode())\""
)


class SandboxBudgets(StrEnum):
    """What the budgets do in the sandbox. Live, they always refuse."""

    WARN = "warn"
    ENFORCE = "enforce"


class PlivoMode(StrEnum):
    """Which Plivo is asked. The values are also the environment in every Redis key."""

    SANDBOX = "sandbox"
    LIVE = "live"


class VerifyAccess(StrEnum):
    """Who may send from the Verify page."""

    PASSWORD = "password"  # noqa: S105  the operator alone
    INVITE = "invite"  # the operator, and the bearer of a valid invite
    OPEN = "open"  # everybody who reaches the page


def _number(default: float | Decimal, low: float, high: float, *, why: str = "") -> Any:
    """A number from `low` to `high`, both allowed; `why` is added to the rule."""
    number = "a whole number" if isinstance(default, int) else "a number"
    rule = f"{number} from {low:,} to {high:,}{why}"
    return Field(default, ge=low, le=high, json_schema_extra={"rule": rule})


def _other(rule: str, **limits: Any) -> Any:
    """A setting that is None when it is not set."""
    return Field(None, json_schema_extra={"rule": rule}, **limits)


class Settings(BaseSettings):
    """All settings. Made from arguments alone, it reads nothing: `read_settings` does that."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    redis_url: RedisUrl | None = Field(None, repr=False)
    """Where Redis is (forms in `core/store/address.py`). Not set: an embedded one is started."""
    data_dir: Path = Path(".data")
    """Folder of the embedded Redis, the sandbox and the sandbox's key; relative to the project."""
    secret_key: SecretStr | None = _other(
        f"at least {SHORTEST} characters; make one with: {_MAKE_A_KEY}", min_length=SHORTEST
    )
    """What all codes, digests and tokens are derived from. The sandbox makes its own."""

    admin_password_hash: PasswordHash | None = Field(None, repr=False)
    """What the operator's password is checked against. Not set: live, their pages stay shut."""
    verify_access: VerifyAccess | None = _other("password, invite or open")
    """Who may send from the Verify page. Not set: password when live, open in the sandbox."""
    seed_api: bool = Field(False, json_schema_extra={"rule": "true or false"})
    """Whether, live, `GET /verify/…` and its like are served, to bearers of a token."""

    webhook_url: WebhookUrl | None = Field(None, repr=False)
    """Who is told what became of verifications, by POST. Not set: nobody, and nothing is kept."""
    webhook_secret: WebhookSecret | None = None
    """What those requests are signed with. Not set: in the sandbox, one follows from its key."""

    api_requests_per_minute: int = _number(600, 1, 1_000_000)
    """Requests of one token in a minute, to the REST API."""

    plivo_auth_id: AuthId | None = None
    """Plivo's Auth ID."""
    plivo_auth_token: SecretStr | None = _other("the Auth Token of the Plivo console", min_length=1)
    """Plivo's Auth Token: it also signs callbacks."""
    plivo_number: E164 | None = None
    """The number that messages and calls come from, in E.164."""
    phlo_id: PhloId | None = None
    """The PHLO to run; not set: that way of sending is not offered."""
    plivo_mode: PlivoMode | None = _other("sandbox or live")
    """Forces the sandbox or the real Plivo. Not set: live once both credentials are."""
    plivo_connect_seconds: float = _number(3.05, 0.1, 30)
    """How long to wait for a connection to Plivo, in seconds."""
    plivo_read_seconds: float = _number(10.0, 1, 60)
    """How long to wait for an answer of Plivo, in seconds."""
    public_url: WebUrl | None = None
    """Where Plivo reaches this application. Not set: messages are followed by asking."""
    sandbox_url: WebUrl | None = None
    """A sandbox that was started alone. Not set: the one inside this application."""
    sandbox_speed: float = _number(1.0, 0.1, 1000)
    """How many times faster than life the sandbox's carrier is."""
    sandbox_budgets: SandboxBudgets = Field(
        SandboxBudgets.WARN, json_schema_extra={"rule": "warn or enforce"}
    )
    """Whether, in the sandbox, a spent budget warns or refuses. Live, it refuses."""

    brand: Brand = "Acme"
    """Whom the code is from, in messages and calls."""
    sms_template: Template = (
        "__code__ is your __brand__ verification code. It expires in __minutes__ minutes."
    )
    """The message; placeholders __code__, __brand__ and __minutes__."""
    origin_host: HostName | None = None
    """Host in the message's last line, "@host #code", which lets phones fill in the code there."""
    default_region: Region | None = None
    """Country of a number typed without its country code."""
    countries: Regions = ()
    """Countries that may be verified. Empty: all in the sandbox, the sender's own when live."""

    code_length: int = _number(6, 4, 10)
    """Digits of a code. Under 6 is allowed, with a warning."""
    lifetime_seconds: int = _number(
        300, 30, 600, why=" (NIST SP 800-63B: a code is valid for 10 minutes at most)"
    )
    """How long a code is valid, in seconds."""
    checks_per_verification: int = _number(5, 1, 10)
    """Guesses per verification; the right code on the last one is accepted."""
    failed_checks_per_hour: int = _number(10, 1, 100)
    """Wrong codes per number and client address in any hour."""
    failed_checks_per_day: int = _number(
        20, 1, 100, why=" (NIST SP 800-63B: at most 100 failed guesses in a row)"
    )
    """Wrong codes per number in any 24 hours."""
    sends_per_10_minutes: int = _number(5, 1, 1000)
    """Messages and calls per number in any 10 minutes."""
    sends_per_day: int = _number(10, 1, 10_000)
    """Messages and calls per number in any 24 hours."""
    refused_sends_per_hour: int = _number(10, 1, 1000)
    """Sends per number in any hour that Plivo may refuse: they are free, but not endless."""
    sends_per_address_per_hour: int = _number(20, 1, 1_000_000)
    """Messages and calls per client address in any hour."""
    sends_per_prefix_per_hour: int = _number(30, 1, 1_000_000)
    """Messages and calls per prefix (a number less its last 4 digits) in any hour."""
    sends_per_country_per_hour: int = _number(500, 1, 10_000_000)
    """Messages and calls per country in any hour."""
    spend_per_day: Decimal = _number(Decimal(50), 0, 1_000_000)
    """What messages and calls of one UTC day may cost, in US dollars."""
    assumed_price: Decimal = _number(Decimal("0.05"), 0, 100)
    """US dollars that each send is booked at against that; set it to your dearest country's."""
    resend_cooldowns: Cooldowns = (30, 40, 60, 90, 120)
    """Seconds to wait after the first, second, … send of a verification; the last one repeats."""
    call_after_seconds: int = _number(10, 0, 600)
    """Seconds without a delivery report after which a call is offered."""
    log_sync_minutes: int = _number(10, 1, 1440)
    """Minutes between two readings of Plivo's message and call logs."""
    attempt_retention_days: int = _number(7, 1, 90)
    """Days for which an attempt's record is kept; its figures are kept for 400."""
    attempts_kept: int = _number(100_000, 100, 10_000_000)
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
        # Arguments alone, so that a test never meets the developer's own credentials.
        return (init_settings,)

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        given = {"PLIVO_AUTH_ID": self.plivo_auth_id, "PLIVO_AUTH_TOKEN": self.plivo_auth_token}
        missing = [name for name, value in given.items() if value is None]
        live = self.mode is PlivoMode.LIVE
        problems = []
        if len(missing) == 1 or (live and missing):
            problems.append(f"{' and '.join(missing)} must be set; copy it from the Plivo console.")
        if live and self.plivo_number is None:
            problems.append("PLIVO_NUMBER must be set to a number of the Plivo account.")
        if live and self.secret_key is None:
            problems.append(f"SECRET_KEY must be set; make one with: {_MAKE_A_KEY}")
        if live and self.plivo_number and not self.countries and not self.sender_region:
            problems.append("COUNTRIES must be set, because PLIVO_NUMBER belongs to no country.")
        if live and self.webhook_url and not is_private(self.webhook_url):
            problems.append("WEBHOOK_URL must begin with https:// unless it is of this machine.")
        if live and self.webhook_url and self.webhook_secret is None:
            problems.append(f"WEBHOOK_SECRET must be set; make one with: {_MAKE_A_WEBHOOK_KEY}")
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
        """Whether the operator's pages need no password: in the sandbox, unless VERIFY_ACCESS tries
        out there what it does when live."""
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
        """The PHLO to run. The sandbox has one of its own; None: not offered."""
        return self.phlo_id or (SANDBOX_PHLO_ID if self.is_sandbox else None)

    @property
    def lifetime_minutes(self) -> int:
        """The lifetime as the message says it: whole minutes, 1 at least, never too many."""
        return max(1, self.lifetime_seconds // 60)

    @property
    def webhook_host(self) -> str | None:
        """The host of WEBHOOK_URL, which is all of it that may be shown; None: it is not set."""
        return urlsplit(self.webhook_url).hostname if self.webhook_url else None

    @property
    def plivo_timeout(self) -> tuple[float, float]:
        """Seconds for a connection to Plivo and for its answer."""
        return self.plivo_connect_seconds, self.plivo_read_seconds

    @cached_property
    def allowed_countries(self) -> frozenset[str] | None:
        """ISO codes of the countries that may be verified; None: all of them."""
        if self.countries:
            return frozenset(self.countries)
        return None if self.is_sandbox else frozenset({self.sender_region})

    @property
    def sender_region(self) -> str:
        """The sender's country; "" for a number of no country, such as +883."""
        region = phonenumbers.region_code_for_number(phonenumbers.parse(self.sender))
        return region if region in phonenumbers.SUPPORTED_REGIONS else ""

    @property
    def warnings(self) -> list[str]:
        """Sentences for the operator on settings that are allowed, yet weak."""
        found = []
        if self.code_length < 6:
            found.append(
                f"CODE_LENGTH is {self.code_length}: under 6 digits, a code is easier to guess."
            )
        if not self.is_sandbox and self.effective_access is VerifyAccess.OPEN:
            found.append(
                "VERIFY_ACCESS is open: anybody who reaches this page can send messages and calls "
                "that this account pays for."
            )
        return found


def read_settings(directory: Path | None = None) -> Settings:
    """The settings of the project in `directory` (None: the current one). Raises SettingsRefused,
    whose cause names every wrong variable, what was given unless it is secret, and what may be."""
    project = (directory or Path.cwd()).resolve()
    values = given_values(Settings, project)
    values["data_dir"] = project / Path(values.get("data_dir", ".data")).expanduser()
    try:
        return Settings(**values)
    except ValidationError as error:
        raise SettingsRefused(
            " ".join(_sentence(problem) for problem in error.errors()),
            "Correct that in the environment, .env or .streamlit/secrets.toml, and start again.",
        ) from None  # The original holds what was given, secrets too.


def _sentence(problem: ErrorDetails) -> str:
    """One wrong setting, in words."""
    rule = str(problem["ctx"]["error"]) if problem["type"] == "value_error" else ""
    if not problem["loc"]:
        return rule
    name = str(problem["loc"][0])
    extra = Settings.model_fields[name].json_schema_extra
    if not rule:
        rule = str(extra["rule"]) if isinstance(extra, dict) else "a text"
    given = "" if name in _SECRETS else f' is "{problem["input"]}", and'
    return f"{name.upper()}{given} must be {rule}."


def secret_key(settings: Settings) -> bytes:
    """SECRET_KEY, else the sandbox's own, made at its first start. Raises SettingsRefused."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    return kept_secret(settings.data_dir / "secret_key")


def auth_token(settings: Settings) -> str:
    """The Auth Token in use; the sandbox's own is derived from its key. Raises SettingsRefused."""
    if settings.plivo_auth_token is not None:
        return settings.plivo_auth_token.get_secret_value()
    return hmac.digest(secret_key(settings), b"sandbox auth token", "sha256").hex()[:40]
