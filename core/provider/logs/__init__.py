"""Plivo's message and call logs: what callbacks and questions have missed.

`sync` reads them in windows of time, `turn` lets one process at a time do it, and `schedule` does
it now and then. `python -m core.provider.logs --since 2026-11-01` reads them at once.
"""
