"""The API page: the token of the sandbox, who may call, and the events that were given up."""

import re
from contextlib import closing

from core.access.tokens import Scope
from core.model.grant import OPERATOR
from core.model.verification import SendOutcome
from core.model.way import Way
from core.panels.api import walk_through
from core.services import Services
from core.webhooks.answer import Answer, Verdict
from core.wiring import build
from pages.components.shared import services as of_process
from tests.benchmarks.check import _SendsNothing
from tests.pages.conftest import Settle, opened, said

GONE = Answer(Verdict.GONE, 410, "It wants no more events (HTTP 410).")
LIVE = {
    "PLIVO_AUTH_ID": "MATESTTESTTESTTESTTE",
    "PLIVO_AUTH_TOKEN": "a token of no account",
    "PLIVO_NUMBER": "+14155550100",
    "SECRET_KEY": "a key that is long enough for any test",
}


def test_the_sandbox_shows_its_token_and_lines_to_paste(services: Services) -> None:
    at = opened("api")
    shown = "\n".join(str(code.value) for code in at.code)
    assert f"TOKEN={services.tokens.sandbox_token}" in shown
    for step in walk_through("http://localhost"):
        start = step.lines.splitlines()[0].partition("http")[0]
        assert start in shown
    assert "Set WEBHOOK_URL" in said(at)


def test_tokens_are_listed_by_name_and_never_themselves(services: Services) -> None:
    token = services.tokens.make("nightly", frozenset({Scope.READ}))
    at = opened("api")
    (table,) = at.dataframe
    assert table.value[["name", "scopes"]].to_numpy().tolist() == [["nightly", "read"]]
    assert token not in str(at.main)


def test_a_live_page_without_a_password_shows_nothing(settle: Settle, redis_url: str) -> None:
    settle(REDIS_URL=redis_url, **LIVE)
    at = opened("api")
    assert "No operator password is set" in said(at)
    assert not at.code


def test_dead_letters_are_listed_and_sent_again(
    settle: Settle, redis_url: str, client: object
) -> None:
    settle(REDIS_URL=redis_url, WEBHOOK_URL="http://127.0.0.1:9/hook")
    app = of_process()
    assert app.outbox.receiver == "127.0.0.1"
    with closing(build(app.settings, provider=_SendsNothing())) as sending:
        started = sending.verifications.start(
            "+14155550123", Way.SMS, grant=OPERATOR, idempotency_key="one"
        )
    assert started.outcome is SendOutcome.SENT
    assert "No event was given up" in said(opened("api"))
    (claim,) = app.outbox.claim(10)
    app.outbox.settle(claim, GONE)

    at = opened("api")
    assert re.search(r"1 were given up", said(at)) is None
    assert "1 was given up" in said(at)
    assert at.dataframe[-1].value["cause"].tolist() == [GONE.cause]
    (again,) = [button for button in at.button if button.label.startswith("Send")]
    again.click().run()
    assert app.outbox.dead_letters() == []
    assert app.outbox.counts().waiting == 1
    app.close()
