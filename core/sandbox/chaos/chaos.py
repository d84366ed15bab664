"""Chaos: keeps its document, and draws the effects on each send.

Every draw is a hash of the seed, the rule's position, the channel, the number, and how many sends
of that channel this number has had since the document was set. So the same seed, rules and sends
give the same effects, in whatever order the sends to different numbers arrive, also in parallel.
"""

import hashlib
import json
import logging
import math

from core.sandbox.chaos.document import ANY, ChaosDocument, ChaosRule, parse_document
from core.sandbox.errors import Refusal
from core.sandbox.facts.effects import Effect, EffectChannel, EffectKind, EffectPlan
from core.sandbox.facts.numbers import carrier_of, country_of
from core.sandbox.plans import plan_of
from core.sandbox.storage import Storage

log = logging.getLogger(__name__)

#: An exponential tail has no end; this is its longest, in means.
LONGEST_TAIL = 10.0


class Chaos:
    """The document, in the state file, and the plan of each send."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._parsed = ChaosDocument()

    def document(self) -> ChaosDocument:
        row = self._storage.row("SELECT revision, document FROM chaos")
        if row and row["revision"] != self._parsed.revision:
            try:
                self._parsed = parse_document(json.loads(row["document"]), row["revision"])
            except Refusal as error:
                # For example, a new version of the numbering plan has dropped a carrier.
                log.warning("stored chaos is not valid, so it is off", extra={"cause": str(error)})
                self._parsed = ChaosDocument(row["revision"])
        return self._parsed

    def set(self, body: dict[str, object]) -> ChaosDocument:
        """Replace the document, and restart the sequence of draws.

        Raises Refusal 400 for an invalid document, and 409 if its `revision` is not the current
        one; then nothing changes.
        """
        with self._storage.transaction():
            current = self.document().revision
            document = parse_document(body, current + 1)
            if body.get("revision") not in {None, current}:
                raise Refusal(409, "chaos was changed meanwhile; read it again, then change it")
            self._save(document)
        return document

    def stop(self) -> ChaosDocument:
        """Turn chaos off and remove all rules."""
        with self._storage.transaction():
            document = ChaosDocument(self.document().revision + 1)
            self._save(document)
        return document

    def plan(self, number: str, channel: EffectChannel, via: str) -> EffectPlan:
        """The plan of the next send to `number`: its ending, then the rules from first to last.

        `via` is "api" or "phlo".
        """
        plan, document = plan_of(number, channel), self.document()
        if not document.is_active:
            return plan
        sends = self._count(f"{channel}:{number}")
        for at, rule in enumerate(document.rules):
            draw = Draw(f"{document.seed}|{at}|{channel}|{number}|{sends}")
            if _matches(rule, number, channel, via) and draw.number("hit") < rule.probability:
                plan = plan.with_effect(_effect(rule, draw))
        return plan

    def _save(self, document: ChaosDocument) -> None:
        body = {"on": document.on, "seed": document.seed, "rules": document.to_json()["rules"]}
        self._storage.run(
            "INSERT OR REPLACE INTO chaos VALUES (1, :revision, :document)",
            revision=document.revision,
            document=json.dumps(body),
        )
        self._storage.run("DELETE FROM chaos_sends")

    def _count(self, recipient: str) -> int:
        """Count a send; return how many there have been."""
        row = self._storage.rows(
            "INSERT INTO chaos_sends VALUES (:recipient, 1)"
            " ON CONFLICT (recipient) DO UPDATE SET sends = sends + 1 RETURNING sends",
            recipient=recipient,
        )[0]
        return int(row["sends"])


class Draw:
    """Independent random numbers for one rule and one send."""

    def __init__(self, key: str) -> None:
        self._key = key

    def number(self, purpose: str) -> float:
        """Uniform, from 0 to below 1; the same for the same key and purpose."""
        digest = hashlib.sha256(f"{self._key}|{purpose}".encode()).digest()
        return int.from_bytes(digest[:6]) / 2**48


def _matches(rule: ChaosRule, number: str, channel: EffectChannel, via: str) -> bool:
    return (
        channel in rule.effect.channels
        and rule.channel in {ANY, channel}
        and rule.via in {ANY, via}
        and rule.country in {None, country_of(number)}
        and (rule.carrier is None or rule.carrier == carrier_of(number))
    )


def _effect(rule: ChaosRule, draw: Draw) -> Effect:
    kind = rule.effect
    if kind in {EffectKind.NOT_DELIVERED, EffectKind.FALSE_UNDELIVERED}:
        return Effect(kind, rule.error_code, rule.state)
    tail = min(-math.log(1 - draw.number("tail")), LONGEST_TAIL) * rule.tail_seconds
    return Effect(
        kind,
        code=rule.status or rule.hangup_cause_code,
        seconds=rule.seconds + draw.number("spread") * rule.spread_seconds + tail,
    )
