"""`python -m core webhook-secret`: prints the secret that signs webhooks, for the receiver."""

import argparse
import sys
from collections.abc import Sequence

from core.cli.running import exiting_on_errors
from core.settings.credentials import secret_key
from core.settings.keyring import Keyring
from core.settings.reading import read_settings
from core.webhooks.sender import signing_secret


def main(arguments: Sequence[str], program: str) -> None:
    parser = argparse.ArgumentParser(prog=program)
    parser.parse_args(arguments)
    with exiting_on_errors():
        settings = read_settings()
        secret = signing_secret(settings, Keyring(secret_key(settings)))
    sys.stdout.write(f"{secret}\n")
