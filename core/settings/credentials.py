"""The secrets in use: the configured ones, else those that the sandbox makes for itself."""

import hmac

from core.settings.secret_file import read_or_create_secret
from core.settings.settings import Settings


def secret_key(settings: Settings) -> bytes:
    """SECRET_KEY, else the sandbox's own, created at its first start. Raises SettingsRefused."""
    if settings.secret_key is not None:
        return settings.secret_key.get_secret_value().encode()
    return read_or_create_secret(settings.data_dir / "secret_key")


def auth_token(settings: Settings) -> str:
    """PLIVO_AUTH_TOKEN, else the sandbox's own, derived from its key. Raises SettingsRefused."""
    if settings.plivo_auth_token is not None:
        return settings.plivo_auth_token.get_secret_value()
    return hmac.digest(secret_key(settings), b"sandbox auth token", "sha256").hex()[:40]
