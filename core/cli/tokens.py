"""`python -m core tokens make qa --scope verify --scope read`, `… list`, `… revoke qa`."""

import argparse
import sys
from collections.abc import Sequence
from datetime import timedelta

from core.access.tokens import LIFETIME, Scope, Tokens
from core.model.errors import ProductError, TokenRefused
from core.services import build
from core.settings.reading import read_settings


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(prog=program)
    commands = parser.add_subparsers(dest="command", required=True)
    make = commands.add_parser("make", help="make a token and print it, this once")
    make.add_argument("name")
    make.add_argument("--scope", action="append", choices=list(Scope), required=True, type=Scope)
    make.add_argument("--days", type=int, default=LIFETIME.days, help="how long it is valid")
    commands.add_parser("list", help="names, scopes and ends")
    revoke = commands.add_parser("revoke", help="end a token")
    revoke.add_argument("name")
    chosen = parser.parse_args(arguments)
    try:
        services = build(read_settings())
        try:
            sys.stdout.write(_run(services.tokens, chosen))
        finally:
            services.close()
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")


def _run(tokens: Tokens, chosen: argparse.Namespace) -> str:
    match chosen.command:
        case "make":
            made = tokens.make(chosen.name, frozenset(chosen.scope), _days(chosen.days))
            return f"{made}\n"
        case "list":
            return "".join(
                f"{one.name:<40} {','.join(sorted(one.scopes)):<18} until "
                f"{one.expires_at:%Y-%m-%d}\n"
                for one in tokens.all()
            )
        case _:
            if not tokens.revoke(chosen.name):
                raise TokenRefused(
                    f'There is no token named "{chosen.name}".',
                    "Look at the names with: python -m core tokens list",
                )
            return ""


def _days(told: int) -> timedelta:
    """Within what a timedelta can hold; whether it will do is not decided here."""
    return timedelta(days=max(-1, min(told, LIFETIME.days + 1)))
