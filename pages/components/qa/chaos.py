"""The view "Chaos" of the QA page: the rules, the switch, the seed, and statuses by hand."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.chaos_rules import PRESETS, Document, Rule, complete, with_rule, without_rule
from core.lab.sandbox_client import SandboxClient, SandboxError
from core.panels.zones import zone_of
from core.wording.chaos import rule_words
from pages.components.access import guarded
from pages.components.panel import question
from pages.components.qa.chaos_rule import rule_form
from pages.components.qa.push import push_list

_NOTE = "qa_chaos_note"
_CHANGED = (
    "Another person changed chaos meanwhile, so your change was not applied. Below is how it is "
    "now: make your change again."
)
MAX_SEED = 10**9


def draw_chaos(sandbox: SandboxClient) -> None:
    """Draw the view. Every change applies at once."""
    try:
        document = sandbox.chaos()
    except SandboxError as error:
        st.error(f"**{error}** Start the sandbox, or check SANDBOX_URL.", icon=":material/error:")
        st.button("Try again", key="qa_chaos_try_again")
        return

    def put(changed: Document) -> None:
        """Replace the document that this run has read."""
        try:
            sandbox.set_chaos(changed)
        except SandboxError as error:
            problem = _CHANGED if error.status == 409 else f"Nothing was changed. {error}"
            st.session_state[_NOTE] = (problem, False)
        else:
            words = "Applied. Sends from now on follow it; the sequence of the seed begins anew."
            st.session_state[_NOTE] = (words, True)

    st.caption(
        "Chaos changes how messages and calls of the sandbox go, also those that programs send. "
        "The same seed, rules and sends give the same events."
    )
    _switch(document, put)
    _note()
    question("Rules")
    _rules(document, put)
    _presets(document, put)
    question("Push a status")
    zone = ZoneInfo(zone_of(None, st.context.timezone))
    st.fragment(guarded(lambda: push_list(sandbox, zone)), run_every=2)()


def _note() -> None:
    """What came of the last change, in a place that is always there."""
    with st.container(key="qa_chaos_note_place"):
        if note := st.session_state.pop(_NOTE, None):
            words, is_applied = note
            show = st.success if is_applied else st.warning
            show(words, icon=":material/check:" if is_applied else ":material/info:")
        else:
            st.caption("Changes apply at once.")


def _switch(document: Document, put: Callable[[Document], None]) -> None:
    st.session_state["qa_chaos_on"] = document["on"]
    st.session_state["qa_chaos_seed"] = min(document["seed"], MAX_SEED)

    def switched() -> None:
        put({**document, "on": bool(st.session_state.get("qa_chaos_on"))})

    def seeded() -> None:
        put({**document, "seed": st.session_state.get("qa_chaos_seed", document["seed"])})

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.number_input(
            "Seed", 0, MAX_SEED, step=1, key="qa_chaos_seed", on_change=seeded, width=200,
            help="The n-th message or call to a number has the same effects with the same seed.",
        )  # fmt: skip
        st.button(
            "Start the sequence anew", key="qa_chaos_anew", icon=":material/replay:",
            on_click=put, args=(document,),
        )  # fmt: skip
        st.toggle("Chaos is on", key="qa_chaos_on", on_change=switched)


def _rules(document: Document, put: Callable[[Document], None]) -> None:
    if not document["rules"]:
        st.info("No rules: every send goes as the ending of its number says. Add a rule below.")
    for at, rule in enumerate(document["rules"]):
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", gap="medium",
            key=f"qa_chaos_rule_{at}",
        ):  # fmt: skip
            st.markdown(f"**{at + 1}.** {rule_words(rule)}", width="stretch")
            _dial(document, at, put)
    with st.popover("Add a rule", icon=":material/add:", key="qa_chaos_add"):
        rule_form(
            complete({"effect": "not_delivered", "probability": 0.3}),
            lambda rule: put(with_rule(document, rule)),
            label="Add this rule",
            key="qa_chaos_new",
        )


def _dial(document: Document, at: int, put: Callable[[Document], None]) -> None:
    rule: Rule = document["rules"][at]
    key = f"qa_chaos_share_{at}"
    st.session_state[key] = round(100 * rule["probability"])

    def turned() -> None:
        share = st.session_state.get(key)
        if share is not None:
            put(with_rule(document, {**rule, "probability": share / 100}, at))

    st.slider(
        f"Share of rule {at + 1}", 0, 100, step=1, format="%d %%", key=key, on_change=turned,
        label_visibility="collapsed", width=220,
    )  # fmt: skip
    with st.popover("Change", icon=":material/tune:", key=f"qa_chaos_change_{at}"):
        rule_form(
            rule,
            lambda changed: put(with_rule(document, changed, at)),
            label=f"Apply to rule {at + 1}",
            key=f"qa_chaos_edit_{at}_{document['revision']}",
        )
    st.button(
        "Remove", key=f"qa_chaos_remove_{at}", icon=":material/delete:",
        help=f"Remove rule {at + 1}", on_click=put, args=(without_rule(document, at),),
    )  # fmt: skip


def _presets(document: Document, put: Callable[[Document], None]) -> None:
    st.caption("Or begin with one of these, and change it:")
    with st.container(horizontal=True, gap="small"):
        for name, rule in PRESETS.items():
            st.button(
                name, key=f"qa_chaos_preset_{name}", on_click=put, args=(with_rule(document, rule),)
            )
