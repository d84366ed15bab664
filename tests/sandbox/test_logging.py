"""What the sandbox logs: events, and nothing that must stay secret."""

import logging

import pytest

from .support import Api, Product, number, wait_for


def test_no_text_number_token_or_key_is_ever_logged(
    api: Api, product: Product, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    product.documents[path] = (
        "<Response><GetDigits numDigits='4' action='http://127.0.0.1:9/t0ken-in-action'>"
        "<Speak>SECRET-4711</Speak></GetDigits></Response>"
    )
    to = number("5555")
    with caplog.at_level(logging.DEBUG):
        uuid = api.send(to, text="SECRET-4711", url="http://127.0.0.1:9/t0ken-of-message")
        api.settled(uuid)
        wait_for(lambda: "given up" in {one["state"] for one in api.callbacks(uuid)})
        call = api.call(to, product.url(path), hangup_url="http://127.0.0.1:9/t0ken-of-hangup")
        phone = api.phone(to)
        phone.auto_answer(on=True, press="4")
        assert api.hung_up(call)["hangup_cause_code"] == 7012
        api.told(call)
    # The tests' own client is httpx too, and logs what it asks for.
    said = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in caplog.records
        if record.name != "httpx" and not record.name.startswith("httpcore")
    )
    assert uuid in said
    for secret in ("4711", "t0ken", to):
        assert secret not in said
    product_side = [r for r in caplog.records if r.name == "httpx" and "t0ken" in r.getMessage()]
    assert product_side == []
