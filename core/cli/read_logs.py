"""`python -m core read-logs --since 2026-11-01`: read Plivo's logs now."""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from core.cli.running import exiting_on_errors, opened_services
from core.tracking.log_status import LogRunOutcome, Progress
from core.wording.formats import counted, duration


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(
        prog=program,
        description="Read Plivo's message and call logs into the ledger.",
    )
    parser.add_argument("--since", help="a day, or a moment with its offset; UTC without one")
    options = parser.parse_args(arguments)
    since = None
    if options.since:
        try:
            since = datetime.fromisoformat(options.since)
        except ValueError:
            sys.exit(f'"{options.since}" is not a date. Write it as 2026-11-01.')
        since = since if since.tzinfo else since.replace(tzinfo=UTC)

    def report(now: Progress) -> None:
        left = f", about {duration(now.left)} left" if now.left else ""
        sys.stdout.write(
            f"{now.windows_done}/{now.windows} windows, {counted(now.rows, 'row')}{left}\n"
        )
        sys.stdout.flush()

    with exiting_on_errors(), opened_services() as services:
        if services.runs_sandbox and services.address.beside is None:
            sys.exit(
                "The sandbox runs inside the application, which is not running here.\n"
                "Start it and open its page, or set SANDBOX_URL to a sandbox that runs alone."
            )
        run = services.log_sync.run(since, report)
    if run.outcome is LogRunOutcome.FAILED:
        sys.exit(f"{run.cause}\n{run.remedy}")
    if run.outcome is LogRunOutcome.BUSY:
        sys.exit("Another process is reading the logs.\nWait until it has finished.")
    now = run.progress
    sys.stdout.write(
        f"{counted(now.rows, 'row')}, {now.settled} settled, {now.foreign} of others\n"
    )
