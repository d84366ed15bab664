"""The plan of each send: the effects of the number's ending, then those of chaos.

A plan is made when the request is accepted. The plan of an ending follows from the number, so only
a plan with effects of chaos is stored: chaos may change while the send is under way.
"""

import dataclasses
import json

from core.sandbox.facts.effects import Effect, EffectChannel, EffectKind, EffectPlan
from core.sandbox.facts.endings import EndingKind, ending_of
from core.sandbox.facts.message_errors import MESSAGE_ERRORS
from core.sandbox.storage import Storage

_EFFECTS = {
    EndingKind.MESSAGE_ERROR: EffectKind.NOT_DELIVERED,
    EndingKind.HTTP_STATUS: EffectKind.HTTP_STATUS,
    EndingKind.TIME_OUT: EffectKind.SILENCE,
    EndingKind.LATE: EffectKind.DELAY,
    EndingKind.NO_RECEIPT: EffectKind.NO_RECEIPT,
    EndingKind.DOUBLED: EffectKind.CALLBACKS_DOUBLED,
    EndingKind.OUT_OF_ORDER: EffectKind.CALLBACKS_OUT_OF_ORDER,
    EndingKind.FORGED: EffectKind.CALLBACKS_FORGED,
    EndingKind.LOST: EffectKind.CALLBACKS_LOST,
    EndingKind.HANGUP: EffectKind.HANGUP,
}


def plan_of(number: str, channel: EffectChannel) -> EffectPlan:
    """The effects of the number's ending on a message or a call; none where it does not decide."""
    ending = ending_of(number)
    kind = _EFFECTS.get(ending.kind)
    if kind is None or channel not in ending.channels:
        return EffectPlan()
    is_error = kind is EffectKind.NOT_DELIVERED
    is_delay = kind is EffectKind.DELAY
    return EffectPlan(
        (
            Effect(
                kind,
                code=0 if is_delay else ending.value,
                state=MESSAGE_ERRORS[ending.value].state if is_error else "",
                seconds=ending.value if is_delay else 0,
            ),
        )
    )


class Plans:
    """Reads and writes the table `plans`, by the UUID of a message or call."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def keep(self, reference: str, number: str, channel: EffectChannel, plan: EffectPlan) -> None:
        """Store the plan of a send if it is not that of the number's ending."""
        if plan != plan_of(number, channel):
            effects = json.dumps([dataclasses.asdict(effect) for effect in plan.effects])
            self._storage.run(
                "INSERT OR REPLACE INTO plans VALUES (:reference, :effects)",
                reference=reference,
                effects=effects,
            )

    def find(self, reference: str, number: str, channel: EffectChannel) -> EffectPlan:
        """The plan of a send to `number`."""
        row = self._storage.row(
            "SELECT effects FROM plans WHERE reference = :reference", reference=reference
        )
        if row is None:
            return plan_of(number, channel)
        effects = json.loads(row["effects"])
        return EffectPlan(
            tuple(Effect(**{**effect, "kind": EffectKind(effect["kind"])}) for effect in effects)
        )
