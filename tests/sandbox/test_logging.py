"""The sandbox's log has events and no secrets."""

import logging
from pathlib import Path

import pytest

from .support import Product, number, sandbox_on, wait_for


def test_no_text_number_token_or_key_is_ever_logged(
    tmp_path: Path, product: Product, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    product.documents[path] = (
        "<Response><GetDigits numDigits='4' action='http://127.0.0.1:9/t0ken-in-action'>"
        "<Speak>SECRET-4711</Speak></GetDigits></Response>"
    )
    to = number("5555")
    with caplog.at_level(logging.DEBUG), sandbox_on(tmp_path, speed=800) as api:
        uuid = api.send(to, text="SECRET-4711", url="http://127.0.0.1:9/t0ken-of-message")
        api.settled(uuid)
        wait_for(lambda: "given up" in {callback["state"] for callback in api.callbacks(uuid)})
        api.phone(to).auto_answer(on=True, press="4")
        call = api.call(to, product.url(path), hangup_url="http://127.0.0.1:9/t0ken-of-hangup")
        assert api.hung_up(call)["hangup_cause_code"] == 7012
        api.finished_callbacks(call)
    # The tests use httpx too, and its log has the requested URLs.
    logged = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name != "httpx" and not record.name.startswith("httpcore")
    )
    assert uuid in logged
    for secret in ("4711", "t0ken", to):
        assert secret not in logged
    urls = [r for r in caplog.records if r.name == "httpx" and "t0ken" in r.getMessage()]
    assert urls == []
