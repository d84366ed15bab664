"""The HTTP interfaces of the sandbox: Plivo's API and the simulated handset."""
