"""Removes state of the sandbox: from Redis by key, from the simulated Plivo by HTTP.

Decision: keys are found by SCAN and removed by UNLINK in batches, 10^5 of them in about a second.
Every key names its environment, and only `{sandbox}` is ever asked for: live keys in the same Redis
are not touched. What is under way meanwhile ends as if its record had expired: news of an attempt
that has gone is an orphan, a check of a verification that has gone is "not found".
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import httpx

from core.ledger.ledger import Ledger, batched
from core.model.attempt import verification_of
from core.model.errors import ResetRefused
from core.reset.kinds import FAMILIES, FIGURES, ResetKind
from core.store.client import Client
from core.store.keys import LAYOUT, Keys

log = logging.getLogger(__name__)

_BATCH = 1000
_SECONDS = 5.0


class SandboxReset:
    """`run` resets. `sandbox` gives the address of the simulated Plivo, `forget` empties what this
    process remembers of the figures."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        ledger: Ledger,
        sandbox: Callable[[], str],
        forget: Callable[[], None],
    ) -> None:
        self._client = client
        self._keys = keys
        self._ledger = ledger
        self._sandbox = sandbox
        self._forget = forget
        self._prefix = f"{{{keys.environment}}}:{LAYOUT}:"

    def run(
        self, kinds: frozenset[ResetKind], *, sandbox_runs: bool = True
    ) -> dict[ResetKind, int]:
        """Remove these kinds; how many keys went, by kind. `sandbox_runs`: whether the simulated
        Plivo can be asked. Raises ResetRefused (live, or the simulated Plivo does not answer:
        nothing is removed) and StoreUnavailable."""
        refuse_live(self._keys.environment)
        # First: its callbacks would bring news of attempts that have gone.
        if sandbox_runs:
            self._reset_sandbox(kinds)
        found = self._find()
        removed: Counter[ResetKind] = Counter()
        for kind in (ResetKind.BUDGETS, ResetKind.ATTEMPTS):
            if kind in kinds:
                names = [
                    name for family in found if FAMILIES[family] is kind for name in found[family]
                ]
                removed[kind] = self._unlink(names)
        if ResetKind.ATTEMPTS in kinds:
            self._announce(found["verification"])
        elif ResetKind.SAMPLE in kinds:
            removed[ResetKind.SAMPLE] = self._remove_sample(found)
        self._forget()
        log.info("sandbox reset", extra={"kinds": ",".join(sorted(kinds))})
        return {kind: removed[kind] for kind in sorted(kinds)}

    def _find(self) -> dict[str, list[str]]:
        """The keys of the environment by family."""
        found: dict[str, list[str]] = defaultdict(list)
        for key in self._client.scan_iter(match=f"{self._prefix}*", count=_BATCH):
            family = key.removeprefix(self._prefix).partition(":")[0]
            if family in FAMILIES:
                found[family].append(key)
        return found

    def _unlink(self, names: Iterable[str]) -> int:
        removed = 0
        for part in batched(names, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                pipe.unlink(*part)
                removed += sum(pipe.execute())
        return removed

    def _announce(self, verifications: Iterable[str]) -> None:
        """Let pages that show one of these see that it has gone."""
        for part in batched(verifications, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                for key in part:
                    pipe.publish(self._keys.changes, key.rpartition(":")[2])
                pipe.execute()

    def _remove_sample(self, found: dict[str, list[str]]) -> int:
        """Sample traffic is added up with the rest, so all figures go, and the attempts of real
        verifications are counted anew. Sample traffic has no verifications."""
        if not found["simulated"]:
            return 0
        while self._ledger.book_checks():
            pass
        real = {key.rpartition(":")[2] for key in found["verification"]}
        attempts = [key.rpartition(":")[2] for key in found["attempt"]]
        kept = [one for one in attempts if verification_of(one) in real]
        gone = [one for one in attempts if verification_of(one) not in real]
        records = self._records(kept)
        names = [name for family in FIGURES for name in found[family]]
        names += [self._keys.attempt(one) for one in attempts]
        names += [self._keys.events(one) for one in gone]
        removed = self._unlink(names) - len(records)
        self._ledger.restore(records)
        return removed

    def _records(self, attempts: list[str]) -> dict[str, dict[str, str]]:
        records: dict[str, dict[str, str]] = {}
        for part in batched(attempts, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                for one in part:
                    pipe.hgetall(self._keys.attempt(one))
                records |= {
                    one: record
                    for one, record in zip(part, pipe.execute(), strict=True)
                    if record.get("requested_ms")
                }
        return records

    def _reset_sandbox(self, kinds: frozenset[ResetKind]) -> None:
        paths = {ResetKind.ATTEMPTS: "/log", ResetKind.HANDSETS: "/handset"}
        try:
            for kind, path in paths.items():
                if kind in kinds:
                    answer = httpx.delete(f"{self._sandbox()}{path}", timeout=_SECONDS)
                    answer.raise_for_status()
        except httpx.HTTPError as error:
            raise ResetRefused(
                "The sandbox did not answer, so nothing was reset.",
                "Start it, look at SANDBOX_URL, or reset budgets and sample traffic alone.",
            ) from error


def refuse_live(environment: str) -> None:
    """Raises ResetRefused in any environment but the sandbox."""
    if environment != "sandbox":
        raise ResetRefused(
            "A reset belongs to the sandbox, and this is the live environment.",
            "Nothing live can be reset. Set PLIVO_MODE=sandbox to work in the sandbox.",
        )
