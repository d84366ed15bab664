"""The position of a call in its document."""

import dataclasses
from urllib.parse import urljoin

from core.sandbox.calls.log import SandboxCall
from core.sandbox.calls.xml import Step, parse


def start_of(call: SandboxCall, document: bytes, url: str) -> SandboxCall:
    return dataclasses.replace(next_step(call), document=document, document_url=url, step=0)


def next_step(call: SandboxCall) -> SandboxCall:
    return dataclasses.replace(
        call, step=call.step + 1, prompt=0, loops=0, tries=0, keys="", waits_for_key=False
    )


def step_of(call: SandboxCall) -> Step | None:
    """The current step of the call; None after the last one."""
    steps = parse(call.document)
    return steps[call.step] if call.step < len(steps) else None


def absolute_url(call: SandboxCall, url: str) -> str:
    """The absolute form of a URL in a document. A malformed one is returned as it is."""
    try:
        return urljoin(call.document_url, url)
    except ValueError:
        return url
