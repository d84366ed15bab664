"""`python -m core sample --days 60 --per-day 2000 --seed 7`: load simulated traffic."""

import argparse
import sys
from collections.abc import Sequence

from core.cli.running import exiting_on_errors, opened_services
from core.panels.sample import sample_words
from core.sample.plan import DAYS, PER_DAY, SEED, SampleState


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Fill the sandbox's figures with simulated traffic.",
    )
    parser.add_argument("--days", type=int, default=DAYS, help="how many, up to now")
    parser.add_argument("--per-day", type=int, default=PER_DAY, help="verifications a day")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed, the same traffic")
    options = parser.parse_args(arguments)

    def progress(state: SampleState) -> None:
        sys.stdout.write(f"{sample_words(state)}\n")
        sys.stdout.flush()

    with exiting_on_errors(), opened_services() as services:
        state = services.sample.load(
            days=options.days, per_day=options.per_day, seed=options.seed, progress=progress
        )
        progress(state)
