"""Resets the sandbox: removes its keys from Redis, and its handsets and logs by HTTP.

Decision: SCAN finds the keys and UNLINK removes them in batches, 10^5 keys in about a second. Every
key begins with its environment, and the scan matches `{sandbox}` only: live keys in the same Redis
stay. Running verifications end as if they had expired: an event of a removed attempt is an orphan,
a check of a removed verification is "not found".
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

from core.lab.sandbox_client import SandboxClient, SandboxError
from core.model.errors import ResetRefused
from core.model.verification import Verification
from core.reset.kinds import EVENTS, FAMILIES, ResetKind
from core.store.batches import batched
from core.store.client import Client
from core.store.keys import LAYOUT, Keys

log = logging.getLogger(__name__)

_BATCH = 1000


class SandboxReset:
    """Resets kinds of state. `remove_sample` removes sample traffic and returns how many attempts
    it had; `remove_events` removes the queued events of verifications; `forget_alerts` ends all
    alerts. `sandbox` calls the simulated Plivo; `clear_cache` empties this process's cache of
    figures."""

    def __init__(
        self,
        client: Client,
        keys: Keys,
        remove_sample: Callable[[], int],
        remove_events: Callable[[], None],
        forget_alerts: Callable[[], None],
        sandbox: SandboxClient,
        clear_cache: Callable[[], None],
    ) -> None:
        self._client = client
        self._keys = keys
        self._remove_sample = remove_sample
        self._remove_events = remove_events
        self._forget_alerts = forget_alerts
        self._sandbox = sandbox
        self._clear_cache = clear_cache
        self._prefix = f"{{{keys.environment}}}:{LAYOUT}:"

    def run(
        self, kinds: frozenset[ResetKind], *, sandbox_runs: bool = True
    ) -> dict[ResetKind, int]:
        """Remove these kinds and return the number of removed keys by kind; of sample traffic the
        number of its attempts. `sandbox_runs`: the
        simulated Plivo runs and must be reset too. Raises StoreUnavailable, and ResetRefused in
        live mode or if the simulated Plivo does not answer; then nothing is removed."""
        refuse_live(self._keys.environment)
        # First, so that it sends no more callbacks about removed attempts.
        if sandbox_runs:
            self._reset_sandbox(kinds)
        if ResetKind.ATTEMPTS in kinds:
            # Before the search for keys: without it, no process loads another day.
            self._client.delete(self._keys.sample)
        keys = self._scan_keys()
        # Alerts are ended below, with the events of their ends. If this process is killed before,
        # the next check ends them.
        for family in ("alert_check", *EVENTS):
            keys.pop(family, None)
        removed: Counter[ResetKind] = Counter()
        for kind in (ResetKind.BUDGETS, ResetKind.ATTEMPTS, ResetKind.TEST_SESSIONS):
            if kind in kinds:
                removed[kind] = self._unlink(
                    key for family in keys if FAMILIES[family] is kind for key in keys[family]
                )
        if ResetKind.ATTEMPTS in kinds:
            self._remove_events()
            self._forget_alerts()
            self._publish_changes(keys["verification"])
        elif ResetKind.SAMPLE in kinds:
            removed[ResetKind.SAMPLE] = self._remove_sample()
        self._clear_cache()
        log.info("sandbox reset", extra={"kinds": ",".join(sorted(kinds))})
        return {kind: removed[kind] for kind in sorted(kinds)}

    def run_for(self, verifications: Iterable[Verification]) -> None:
        """Empty the handsets of these verifications' numbers, and remove the counts of the budgets
        that are each number's own. All else stays, as other people may be using it. Raises as
        `run` does."""
        refuse_live(self._keys.environment)
        for digits, index in {(each.to.digits, each.number_index) for each in verifications}:
            try:
                self._sandbox.handset(digits).clear()
            except SandboxError as error:
                raise _no_answer() from error
            keys = self._keys
            by_client = self._client.scan_iter(match=f"{keys.failures(index)}:*", count=_BATCH)
            own = keys.sends("number", index), keys.guesses(index), keys.refusals(index)
            self._unlink([*own, keys.failures(index), *by_client])

    def _scan_keys(self) -> dict[str, list[str]]:
        """The keys of the environment by family."""
        keys: dict[str, list[str]] = defaultdict(list)
        for key in self._client.scan_iter(match=f"{self._prefix}*", count=_BATCH):
            family = key.removeprefix(self._prefix).partition(":")[0]
            if family in FAMILIES:
                keys[family].append(key)
        return keys

    def _unlink(self, keys: Iterable[str]) -> int:
        removed = 0
        for part in batched(keys, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                pipe.unlink(*part)
                removed += sum(pipe.execute())
        return removed

    def _publish_changes(self, verifications: Iterable[str]) -> None:
        """Notify pages that show one of these verifications."""
        for part in batched(verifications, _BATCH):
            with self._client.pipeline(transaction=False) as pipe:
                for key in part:
                    pipe.publish(self._keys.changes, key.rpartition(":")[2])
                pipe.execute()

    def _reset_sandbox(self, kinds: frozenset[ResetKind]) -> None:
        try:
            if ResetKind.ATTEMPTS in kinds:
                self._sandbox.delete_logs()
            if ResetKind.HANDSETS in kinds:
                self._sandbox.clear_handsets()
        except SandboxError as error:
            raise _no_answer() from error


def _no_answer() -> ResetRefused:
    return ResetRefused(
        "The sandbox did not answer, so nothing was reset.",
        "Start it, check SANDBOX_URL, or reset only budgets and sample traffic.",
    )


def refuse_live(environment: str) -> None:
    """Raises ResetRefused in every environment except the sandbox."""
    if environment != "sandbox":
        raise ResetRefused(
            "Only the sandbox can be reset, and this is the live environment.",
            "Set PLIVO_MODE=sandbox to use the sandbox.",
        )
