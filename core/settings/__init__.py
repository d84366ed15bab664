"""All settings. The only room that reads the environment, `.env` and `secrets.toml`."""
