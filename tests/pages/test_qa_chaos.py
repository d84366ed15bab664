"""The view "Chaos" of the QA page, which changes a sandbox that others change too."""

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.lab.sandbox_client import SandboxClient
from pages.components import shared
from tests.pages.conftest import Settle, opened, said
from tests.world import World

CHANGED_MEANWHILE = "Chaos was changed meanwhile"


@pytest.fixture
def sandbox(settle: Settle, redis_url: str, at: World) -> Iterator[SandboxClient]:
    """A sandbox with one rule, which the pages use."""
    settle(REDIS_URL=redis_url, SANDBOX_URL=f"{at.address}/sandbox")
    client = at.services.sandbox
    client.set_chaos({"rules": [{"effect": "held"}], "seed": 7})
    yield client
    client.stop_chaos()


def effects(sandbox: SandboxClient) -> list[str]:
    return [rule["effect"] for rule in sandbox.chaos()["rules"]]


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def test_a_rule_is_added_to_those_that_others_have_added_meanwhile(sandbox: SandboxClient) -> None:
    page = opened("qa", qa_view="chaos")
    sandbox.set_chaos({"rules": [{"effect": "silence"}], "seed": 7})
    assert "Applied." in said(press(page, "qa_chaos_preset_No receipts"))
    assert effects(sandbox) == ["silence", "no_receipt"]


def test_a_double_click_on_remove_does_not_remove_the_next_rule(
    sandbox: SandboxClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "monotonic", lambda: 100.0)
    sandbox.set_chaos({"rules": [{"effect": "held"}, {"effect": "silence"}], "seed": 7})
    page = opened("qa", qa_view="chaos")
    press(press(page, "qa_chaos_remove_0"), "qa_chaos_remove_0")
    assert effects(sandbox) == ["silence"]


def test_chaos_is_turned_off_with_the_rules_that_others_have_added_meanwhile(
    sandbox: SandboxClient,
) -> None:
    page = opened("qa", qa_view="chaos")
    sandbox.set_chaos({"rules": [{"effect": "silence"}], "seed": 7})
    assert "Applied." in said(press(page, "qa_chaos_on"))
    assert (sandbox.chaos()["on"], effects(sandbox)) == (False, ["silence"])


def test_a_rule_that_others_have_replaced_meanwhile_is_not_removed(sandbox: SandboxClient) -> None:
    page = opened("qa", qa_view="chaos")
    sandbox.set_chaos({"rules": [{"effect": "silence"}], "seed": 7})
    assert CHANGED_MEANWHILE in said(press(page, "qa_chaos_remove_0"))
    assert effects(sandbox) == ["silence"]
