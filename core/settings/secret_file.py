"""Creates a random secret once and keeps it in a file that only its owner can read."""

import os
import secrets
from pathlib import Path

from core.model.errors import SettingsRefused

#: A shorter secret is refused. 32 random URL-safe characters have at least 190 bits.
MIN_SECRET_LENGTH = 32


def read_or_create_secret(path: Path) -> bytes:
    """The secret in `path`, created if the file does not exist. Raises SettingsRefused.

    Two processes that start at the same time get the same secret: `link` creates the whole file
    atomically and fails if it exists.
    """
    try:
        if not path.exists():
            _create(path)
        others_can_read = path.stat().st_mode & 0o077
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsRefused(
            f"The secret key in {path} cannot be made or read: {error.strerror}.",
            "Make its folder writable, choose another DATA_DIR, or set SECRET_KEY.",
        ) from error
    if others_can_read:
        raise SettingsRefused(
            f"The secret key in {path} can be read by other users of this machine.",
            f"Run: chmod 600 '{path}'",
        )
    if len(secret) < MIN_SECRET_LENGTH:
        raise SettingsRefused(
            f"The secret key in {path} is damaged: it has under {MIN_SECRET_LENGTH} characters.",
            "Delete the file; a new key is made at the next start.",
        )
    return secret


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    # O_EXCL with 0600: the file is private from the start, with any umask.
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        # Never replaces an existing file: the first process to link sets the key for all.
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
