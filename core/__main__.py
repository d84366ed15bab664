"""Run one command: `python -m core <command>`. Without a command, list them."""

import sys
from importlib import import_module

#: The module of each command in `core/cli`, and what it does. A module is loaded when its command
#: runs: `hash-password` needs neither pandas nor the sandbox.
COMMANDS = {
    "hash-password": (
        "hash_password",
        "ask for a password and print ADMIN_PASSWORD_HASH",
    ),
    "tokens": ("tokens", "make, list and revoke the tokens of the HTTP API"),
    "read-logs": ("read_logs", "read Plivo's message and call logs now"),
    "sample": ("sample", "load simulated traffic into the sandbox's figures"),
    "reset": ("reset", "reset the sandbox, whole or by kind"),
    "sandbox": ("sandbox", "serve the sandbox alone, for other programs"),
    "endings": ("endings", "print the endings of sandbox numbers as Markdown"),
    "webhook-secret": ("webhook_secret", "print the secret that webhooks are signed with"),
}


def main(arguments: list[str]) -> None:
    """Run the command that `arguments` names. Exits with 2 for an unknown one."""
    name, *options = arguments or ["--help"]
    if name in COMMANDS:
        module, _ = COMMANDS[name]
        import_module(f"core.cli.{module}").main(options, f"python -m core {name}")
        return
    lines = [f"  {command:<16}{purpose}" for command, (_, purpose) in COMMANDS.items()]
    usage = "\n".join(["usage: python -m core <command> [options]", "", *lines, ""])
    if name in {"-h", "--help"}:
        sys.stdout.write(usage)
        return
    sys.stderr.write(f'There is no command "{name}".\n{usage}')
    sys.exit(2)


if __name__ == "__main__":
    main(sys.argv[1:])
