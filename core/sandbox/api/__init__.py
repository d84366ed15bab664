"""The HTTP interfaces of the sandbox: Plivo's API, the handset, and the callback log."""
