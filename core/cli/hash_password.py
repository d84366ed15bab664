"""`python -m core hash-password`: asks for a password and prints ADMIN_PASSWORD_HASH for it."""

import argparse
import sys
from collections.abc import Sequence
from getpass import getpass

from core.access.password import MAX_PASSWORD_LENGTH, hash_password

MIN_PASSWORD_LENGTH = 12


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(prog=program)
    parser.parse_args(arguments)
    if sys.stdin.isatty():
        password = getpass("Password: ")
        if password != getpass("Once more: "):
            sys.exit("The passwords differ. Try again.")
    else:
        password = sys.stdin.readline().rstrip("\n")
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        sys.exit(
            f"A password has {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters. "
            "Choose another one."
        )
    sys.stdout.write(f"ADMIN_PASSWORD_HASH='{hash_password(password)}'\n")
