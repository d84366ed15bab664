"""Every setting, read once. The only reader of the environment, `.env` and `secrets.toml`."""
