"""`python -m core.outbox secret`: prints what events are signed with, for the receiver."""

import argparse
import sys

from core.model.errors import ProductError
from core.settings.keyring import Keyring
from core.settings.settings import read_settings, secret_key
from core.webhooks.sender import signing_secret


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m core.outbox")
    parser.add_argument("command", choices=["secret"], help="print the secret of events")
    parser.parse_args()
    try:
        settings = read_settings()
        secret = signing_secret(settings, Keyring(secret_key(settings)))
    except ProductError as error:
        sys.exit(f"{error.cause}\n{error.remedy}")
    sys.stdout.write(f"{secret}\n")


if __name__ == "__main__":
    main()
