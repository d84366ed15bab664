"""`python -m core.outbox secret`: prints what events are signed with, for the receiver."""

import argparse
import sys

from core.errors import ProductError
from core.keyring import Keyring
from core.outbox.sender import signing_secret
from core.settings import read_settings, secret_key


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
