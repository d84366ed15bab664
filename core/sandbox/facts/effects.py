"""What can happen to a message or a call: effects, and the plan of a send that combines them.

The ending of a number and the rules of chaos both add effects to the plan of a send. Nothing else
changes how a send goes.
"""

from dataclasses import dataclass
from enum import StrEnum


class EffectChannel(StrEnum):
    """What an effect acts on; also the modes of a PHLO."""

    SMS = "sms"
    CALL = "call"


class Aspect(StrEnum):
    """The parts of a send that effects decide. A plan has at most one effect for each."""

    ANSWER = "answer"  # the answer to the request
    OUTCOME = "outcome"  # whether it arrives, and what is reported
    DELAY = "delay"  # when it arrives, or rings
    RECEIPT = "receipt"  # when that is reported
    CALLBACKS = "callbacks"  # how often and in which order callbacks are sent
    KEYS = "keys"  # whether a call hears keys


class EffectKind(StrEnum):
    """What an effect does."""

    HTTP_STATUS = "http_status"
    SILENCE = "silence"
    NOT_DELIVERED = "not_delivered"
    HELD = "held"
    NO_RECEIPT = "no_receipt"
    FALSE_DELIVERED = "false_delivered"
    FALSE_UNDELIVERED = "false_undelivered"
    HANGUP = "hangup"
    DELAY = "delay"
    RECEIPT_LATE = "receipt_late"
    CALLBACKS_LOST = "callbacks_lost"
    CALLBACKS_DOUBLED = "callbacks_doubled"
    CALLBACKS_OUT_OF_ORDER = "callbacks_out_of_order"
    CALLBACKS_FORGED = "callbacks_forged"
    KEYS_LOST = "keys_lost"

    @property
    def aspect(self) -> Aspect:
        return _ASPECTS[self]

    @property
    def channels(self) -> tuple[EffectChannel, ...]:
        """What it can act on."""
        return _CHANNELS.get(self, tuple(EffectChannel))


_ASPECTS = {
    EffectKind.HTTP_STATUS: Aspect.ANSWER,
    EffectKind.SILENCE: Aspect.ANSWER,
    EffectKind.NOT_DELIVERED: Aspect.OUTCOME,
    EffectKind.HELD: Aspect.OUTCOME,
    EffectKind.NO_RECEIPT: Aspect.OUTCOME,
    EffectKind.FALSE_DELIVERED: Aspect.OUTCOME,
    EffectKind.FALSE_UNDELIVERED: Aspect.OUTCOME,
    EffectKind.HANGUP: Aspect.OUTCOME,
    EffectKind.DELAY: Aspect.DELAY,
    EffectKind.RECEIPT_LATE: Aspect.RECEIPT,
    EffectKind.CALLBACKS_LOST: Aspect.CALLBACKS,
    EffectKind.CALLBACKS_DOUBLED: Aspect.CALLBACKS,
    EffectKind.CALLBACKS_OUT_OF_ORDER: Aspect.CALLBACKS,
    EffectKind.CALLBACKS_FORGED: Aspect.CALLBACKS,
    EffectKind.KEYS_LOST: Aspect.KEYS,
}
_MESSAGES, _CALLS = (EffectChannel.SMS,), (EffectChannel.CALL,)
_CHANNELS = {
    EffectKind.NOT_DELIVERED: _MESSAGES,
    EffectKind.HELD: _MESSAGES,
    EffectKind.NO_RECEIPT: _MESSAGES,
    EffectKind.FALSE_DELIVERED: _MESSAGES,
    EffectKind.FALSE_UNDELIVERED: _MESSAGES,
    EffectKind.HANGUP: _CALLS,
    EffectKind.KEYS_LOST: _CALLS,
}


@dataclass(frozen=True, slots=True)
class Effect:
    """`code` is the error code, HTTP status or hangup cause code; `state` the final state of a
    message that is not delivered; `seconds` a simulated duration."""

    kind: EffectKind
    code: int = 0
    state: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class EffectPlan:
    """How one send goes. An aspect without an effect goes as usual."""

    effects: tuple[Effect, ...] = ()

    def of(self, aspect: Aspect) -> Effect | None:
        return next((effect for effect in self.effects if effect.kind.aspect is aspect), None)

    def kind(self, aspect: Aspect) -> EffectKind | None:
        effect = self.of(aspect)
        return effect.kind if effect else None

    def seconds(self, aspect: Aspect) -> float:
        effect = self.of(aspect)
        return effect.seconds if effect else 0.0

    def with_effect(self, effect: Effect) -> "EffectPlan":
        """The plan and this effect; the same plan if its aspect is decided already."""
        if self.of(effect.kind.aspect):
            return self
        return EffectPlan((*self.effects, effect))
