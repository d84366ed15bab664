"""`python -m core tokens make qa --scope verify --scope read`, `… list`, `… revoke qa`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from core.access.tokens import LIFETIME, Scope, Tokens
from core.cli.running import exiting_on_errors, opened_services
from core.model.errors import TokenRefused


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(prog=program)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make a token and print it once")
    make.add_argument("name")
    make.add_argument("--scope", action="append", choices=list(Scope), required=True, type=Scope)
    make.add_argument("--days", type=int, default=LIFETIME.days, help="how long it is valid")
    commands.add_parser("list", help="names, scopes and ends")
    revoke = commands.add_parser("revoke", help="end a token")
    revoke.add_argument("name")
    options = parser.parse_args(arguments)
    with exiting_on_errors(), opened_services() as services:
        sys.stdout.write(_run(services.tokens, options))


def _run(tokens: Tokens, options: argparse.Namespace) -> str:
    match options.command:
        case "make":
            secret = tokens.make(options.name, frozenset(options.scope), _days(options.days))
            return f"{secret}\n"
        case "list":
            return "".join(
                f"{token.name:<40} {','.join(sorted(token.scopes)):<18} until "
                f"{token.expires_at:%Y-%m-%d}\n"
                for token in tokens.all()
            )
        case _:
            if not tokens.revoke(options.name):
                raise TokenRefused(
                    f'There is no token named "{options.name}".',
                    "List the names with: python -m core tokens list",
                )
            return ""


def _days(days: int) -> timedelta:
    """Cut to the range of a timedelta; `Tokens.make` refuses what is not allowed."""
    return timedelta(days=max(-1, min(days, LIFETIME.days + 1)))
