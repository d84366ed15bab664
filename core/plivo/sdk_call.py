"""A call of the SDK as data, and what records it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.model.code import Code
from core.model.exchange import Exchange
from core.plivo.masking import mask_fields

Recorder = Callable[[Exchange], None]


@dataclass(frozen=True, slots=True)
class SdkCall:
    """A call of the SDK, as data: the page shows the same call that is made.

    `path` is relative to the client, such as `messages.create`; for a PHLO, `phlo.run` with the
    PHLO's id in `phlo`. `code` is masked wherever it appears.
    """

    path: str
    arguments: Mapping[str, Any] = field(repr=False)
    phlo: str = ""
    code: Code | None = None

    @property
    def words(self) -> str:
        """The call as Python, masked."""
        masked = mask_fields(self.arguments, self.code)
        if self.phlo:
            return f"client.phlo.get({self.phlo!r}).run(**{masked!r})"
        return f"client.{self.path}({', '.join(f'{k}={v!r}' for k, v in masked.items())})"
