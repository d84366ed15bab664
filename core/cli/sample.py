"""`python -m core sample --days 30 --per-day 2000 --seed 7`."""

import argparse
import sys
from collections.abc import Sequence

from core.model.errors import ProductError
from core.sample.loading import DAYS, PER_DAY, SEED
from core.services import build
from core.settings.reading import read_settings


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Fill the sandbox's figures with invented traffic.",
    )
    parser.add_argument("--days", type=int, default=DAYS)
    parser.add_argument("--per-day", type=int, default=PER_DAY, help="verifications")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed, the same traffic")
    chosen = parser.parse_args(arguments)

    def progress(done: float, said: str) -> None:
        sys.stdout.write(f"{done:4.0%}  {said}\n")
        sys.stdout.flush()

    try:
        services = build(read_settings())
        try:
            services.sample.load(
                days=chosen.days, per_day=chosen.per_day, seed=chosen.seed, progress=progress
            )
        finally:
            services.close()
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")
