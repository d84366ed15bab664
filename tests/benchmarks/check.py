"""A check of a code, in process, against the bare round trip of redis-py that it stands on.

A check is everything that `Verifications.check` does: reading what was entered, digests, and one
script that counts the guess, keeps both budgets of the number, compares, and books the event. The
reference is the cheapest thing that Redis can be asked to keep: one `SET` of a short value with a
TTL, through the same client. Beside it, for scale, the commands of such a check sent bare, as one
MULTI: what it would cost without a script, and without being able to decide anything in between.
All run in turns, in rounds of a few hundred, and a ratio is the median of the rounds' ratios.
"""

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path

from core.model.grant import OPERATOR
from core.model.verification import CheckOutcome
from core.model.way import Way
from core.plivo.request import AttemptRequest
from core.services import Services
from core.settings.settings import Settings
from core.wiring import build
from tests.world import MovableClock

GOAL = 1.4


class _SendsNothing:
    """A sender for a measurement in which sending has no part."""

    def obstacle(self, way: Way) -> tuple[str, str] | None:
        return None

    def calls_back(self, way: Way) -> bool:
        return True

    def send(self, request: AttemptRequest) -> str:
        return "benchmark"


def timed(work: Callable[[int], None], times: int) -> float:
    """Seconds for one, on average over `times`, with no garbage collection in between."""
    gc.collect()
    gc.disable()
    try:
        began = time.perf_counter()
        for n in range(times):
            work(n)
        return (time.perf_counter() - began) / times
    finally:
        gc.enable()


def wrong_codes(services: Services) -> Callable[[int], Callable[[int], None]]:
    """Wrong codes, each of which is evaluated: 4 for each verification."""
    service = services.verifications
    numbers = count()

    def round_of(times: int) -> Callable[[int], None]:
        made = [started(services, next(numbers)) for _ in range(-(-times // 4))]
        codes = [service_code(services, v) for v in made]
        wrong = [f"{(int(code) + 1) % 1_000_000:06}" for code in codes]

        def check(n: int) -> None:
            result = service.check(made[n // 4], wrong[n // 4])
            assert result.outcome is CheckOutcome.WRONG_CODE

        return check

    return round_of


def right_codes(services: Services) -> Callable[[int], Callable[[int], None]]:
    """Right codes, each of which is approved and used up."""
    service = services.verifications
    numbers = count(3_000_000)

    def round_of(times: int) -> Callable[[int], None]:
        made = [started(services, next(numbers)) for _ in range(times)]
        codes = [service_code(services, v) for v in made]

        def check(n: int) -> None:
            assert service.check(made[n], codes[n]).outcome is CheckOutcome.APPROVED

        return check

    return round_of


def started(services: Services, n: int) -> str:
    """A verification of the n-th number; none has an ending that the sandbox always refuses."""
    last = n % 5_400_000
    seven = 2_000_000 + last // 9000 * 10_000 + 1000 + last % 9000
    number = f"+1{(212, 312, 415, 617)[n // 5_400_000 % 4]}{seven}"
    result = services.verifications.start(number, Way.SMS, grant=OPERATOR, idempotency_key=number)
    assert result.verification is not None, result
    return result.verification


def service_code(services: Services, verification: str) -> str:
    view = services.verifications.look(verification)
    assert view is not None
    return services.verifications.code_for(view.verification).reveal()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--checks", type=int, default=600, help="in each round")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # Budgets out of the way: thousands of numbers are about to be sent to.
        settings = Settings(
            data_dir=Path(folder),
            sandbox_budgets="enforce",
            sends_per_prefix_per_hour=1_000_000,
            sends_per_country_per_hour=10_000_000,
            spend_per_day=1_000_000,
        )
        services = build(settings, MovableClock(), provider=_SendsNothing())
        bare = services.client

        def round_trip(n: int) -> None:
            bare.set("benchmark", "a short value", px=timedelta(minutes=10), nx=False)

        def bare_commands(n: int) -> None:
            with bare.pipeline() as pipe:
                pipe.hmget("benchmark:v", "status", "expires_ms", "attempts", "checks_left")
                pipe.lindex("benchmark:f", 9)
                pipe.hset("benchmark:v", mapping={"checks_left": 4, "status": "pending"})
                pipe.lpush("benchmark:f", n)
                pipe.ltrim("benchmark:f", 0, 19)
                pipe.pexpire("benchmark:f", 600_000)
                pipe.hmget("benchmark:a", "state", "checked_ms")
                pipe.hset("benchmark:a", "checked_ms", n)
                pipe.xadd("benchmark:e", {"event": "checked fact"}, maxlen=100, approximate=False)
                pipe.publish("benchmark", "changed")
                pipe.execute()

        kinds = {"wrong code": wrong_codes(services), "right code": right_codes(services)}
        timed(round_trip, chosen.checks)
        seconds: dict[str, list[float]] = {
            "bare round trip": [],
            **{kind: [] for kind in kinds},
            "bare MULTI": [],
        }
        against_multi: list[float] = []
        ratios: dict[str, list[float]] = {kind: [] for kind in kinds}
        for _ in range(chosen.rounds):
            for kind, round_of in kinds.items():
                check = round_of(chosen.checks)
                before = timed(round_trip, chosen.checks)
                spent = timed(check, chosen.checks)
                after = timed(round_trip, chosen.checks)
                seconds[kind].append(spent)
                seconds["bare round trip"] += [before, after]
                ratios[kind].append(spent / statistics.mean((before, after)))
                multi = timed(bare_commands, chosen.checks)
                seconds["bare MULTI"].append(multi)
                against_multi.append(spent / multi)
        services.close()
    say = sys.stdout.write
    say(f"{'':<18}{'median':>10}{'fastest':>10}{'ratio':>8}\n")
    for kind, spans in seconds.items():
        ratio = f"{statistics.median(ratios[kind]):.2f}" if kind in ratios else ""
        median, fastest = statistics.median(spans) * 1e6, min(spans) * 1e6
        say(f"{kind:<18}{median:>7.0f} µs{fastest:>7.0f} µs{ratio:>8}\n")
    worst = max(statistics.median(found) for found in ratios.values())
    slowest = max(statistics.median(seconds[kind]) for kind in kinds)
    say(f"goal: at most {GOAL}\n")
    figures = {
        "ratio": round(worst, 3),
        "checks_per_s": round(1 / slowest),
        "ratio_to_multi": round(statistics.median(against_multi), 3),
    }
    say(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
