"""Parameters and bodies of the requests of `/verifications`, and their limits."""

from ipaddress import ip_address
from typing import Annotated

from fastapi import Header, Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from core.model.language import Language
from core.model.way import Channel, Mode
from core.verification.code import LONGEST_ENTERED

_SPOKEN = ", ".join(sorted({language[:2] for language in Language}))
Id = Annotated[str, Path(description="A verification's id.", pattern=r"^[a-z2-7]{24}$")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Of your choice, a new one for each verification: a repeated request with the "
        "same key sends nothing and gets the same verification. Kept for ATTEMPT_RETENTION_DAYS.",
    ),
]


def _ip_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        # The message of ip_address repeats the text.
        raise ValueError("write it as 192.0.2.1 or 2001:db8::1") from None


Address = Annotated[
    str,
    AfterValidator(_ip_address),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]


class Start(BaseModel):
    """The number that gets a code, and how it is sent."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(
        min_length=3, max_length=40, description="E.164, or national with `region`.",
    )  # fmt: skip
    channel: Channel = Channel.SMS
    mode: Mode = Field(Mode.SMS, description="What a PHLO is asked to do; others ignore it.")
    region: str | None = Field(
        None,
        pattern="^[A-Z]{2}$",
        description="Country of a national number, ISO 3166; DEFAULT_REGION if left out.",
    )
    locale: str | None = Field(
        None, max_length=35, pattern="^[A-Za-z0-9-]+$",
        description="Language of calls, also of one that replaces a message: BCP 47, such as "
        "de-AT. If left out or not spoken, the language of the number's country, else English. "
        f"Spoken are {_SPOKEN}. A message is SMS_TEMPLATE as it stands; a PHLO gets no language.",
    )  # fmt: skip
    client_address: Address | None = Field(
        None,
        description="IP address of the person who verifies, for the budget of one address. Live, "
        "all requests without it share one budget.",
    )


class Resend(BaseModel):
    """How to send the same code again."""

    model_config = ConfigDict(extra="forbid")

    seen: int = Field(
        ge=1, le=1000,
        description="How many attempts you have seen: the same request twice sends once.",
    )  # fmt: skip
    call: bool = Field(False, description="Call instead of sending a message.")
    client_address: Address | None = None


class Check(BaseModel):
    """What a person entered."""

    model_config = ConfigDict(extra="forbid")

    code: str = Field(
        min_length=1, max_length=LONGEST_ENTERED, examples=["123456"],
        description="Digits of any script; spaces, dashes, dots and invisible marks are dropped.",
    )  # fmt: skip
    client_address: Address | None = Field(
        None,
        description="IP address of the person who entered it, for the budget of wrong codes.",
    )
