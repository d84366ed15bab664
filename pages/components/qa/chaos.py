"""The view "Chaos" of the QA page: the switch, the seed, the rules, and statuses by hand."""

from collections.abc import Callable
from functools import partial
from zoneinfo import ZoneInfo

import streamlit as st

from core.lab.chaos import CHANGED, change_chaos
from core.lab.chaos_rules import PRESETS, Document, Rule, complete, with_rule, without_rule
from core.lab.sandbox_client import SandboxClient, SandboxError
from core.panels.zones import zone_of
from core.wording.chaos import rule_words
from pages.components.access import guarded
from pages.components.qa.chaos_rule import rule_form
from pages.components.qa.push import push_list
from pages.components.session_value import session_value
from pages.components.shared import is_outdated, once, set_value

_NOTE = "qa_chaos_note"
#: What the form is open for: `_NEW`, or the position of a rule.
_EDITED, _NEW = "qa_chaos_edited", "new"
_CHANGED = (
    "Chaos was changed meanwhile, so your change was not applied. Below is how it is now: make "
    "your change again."
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

    st.caption(
        "Chaos changes how messages and calls of the sandbox go, also those that programs send. "
        "The same seed, rules and sends give the same events."
    )
    _switch(document, sandbox)
    _note()
    st.header("Rules", anchor=False)
    _rules(document, sandbox)
    _presets(sandbox)
    st.header("Push a status", anchor=False)
    zone = ZoneInfo(zone_of(None, st.context.timezone))
    st.fragment(guarded(lambda: push_list(sandbox, zone)), run_every=2)()


def _replace(sandbox: SandboxClient, changed: Document) -> None:
    """Apply a change that could undo one of another person: only if the document that the page
    shows is still the current one."""
    _write(lambda: sandbox.set_chaos(changed))


def _change(sandbox: SandboxClient, change: Callable[[Document], Document]) -> None:
    """Apply a change that undoes no other: to the current document, which may be newer than what
    the page shows."""
    _write(lambda: change_chaos(sandbox, change))


def _write(write: Callable[[], object]) -> None:
    note, edited = session_value(_NOTE), session_value(_EDITED)
    try:
        write()
    except SandboxError as error:
        problem = _CHANGED if error.status == CHANGED else f"Nothing was changed. {error}"
        note.value = (problem, False)
    else:
        words = "Applied. Sends from now on follow it, and the sequence of the seed restarts."
        note.value = (words, True)
        edited.value = None


def _note() -> None:
    """The result of the last change, on a line that is always there: nothing below it moves."""
    note = session_value(_NOTE)
    with st.container(key="qa_chaos_note_place"):
        words, is_applied = note.value or ("Changes apply at once.", None)
        if is_applied is False:
            st.warning(words, icon=":material/info:")
        else:
            st.caption(f":material/check: {words}" if is_applied else words)
    note.value = None


def _switch(document: Document, sandbox: SandboxClient) -> None:
    """Buttons only: the list below reruns by itself, and its message has all widgets' values. One
    that is on its way while a change is applied would undo that change by a stateful widget."""
    is_on, seed = document["on"], min(document["seed"], MAX_SEED)
    key = f"qa_chaos_seed_{seed}"

    def restart() -> None:
        _replace(sandbox, {**document, "seed": st.session_state.get(key, seed)})

    def switch() -> None:
        _change(sandbox, lambda current: {**current, "on": not is_on})

    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.button(
            "Turn chaos off" if is_on else "Turn chaos on", key="qa_chaos_on",
            icon=":material/toggle_on:" if is_on else ":material/toggle_off:",
            on_click=once("qa_chaos_on", switch), disabled=not (document["rules"] or is_on),
            help=None if document["rules"] else "It has an effect once there is a rule.",
        )  # fmt: skip
        st.number_input(
            "Seed", 0, MAX_SEED, seed, step=1, key=key, width=200,
            help="The n-th message or call to a number has the same effects with the same seed.",
        )  # fmt: skip
        st.button(
            "Restart with this seed", key="qa_chaos_restart", icon=":material/replay:",
            on_click=restart,
        )  # fmt: skip


def _rules(document: Document, sandbox: SandboxClient) -> None:
    if not document["rules"]:
        st.caption("No rules: every send goes as the ending of its number says. Add a rule below.")
    edited = session_value(_EDITED).value
    for at, rule in enumerate(document["rules"]):
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", gap="medium",
            key=f"qa_chaos_rule_{at}",
        ):  # fmt: skip
            st.markdown(f"**{at + 1}.** {rule_words(rule)}", width="stretch")
            _dial(document, at, sandbox)
        if edited == at:
            _form(
                rule,
                partial(_replace_rule, sandbox, document, at),
                opened_for=at,
                label=f"Apply to rule {at + 1}",
                key=f"qa_chaos_edit_{at}_{document['revision']}",
            )
    if edited == _NEW:
        _form(
            complete({"effect": "not_delivered", "probability": 0.3}),
            partial(_add, sandbox),
            opened_for=_NEW,
            label="Add this rule",
            key="qa_chaos_new",
        )
    else:
        st.button(
            "Add a rule", icon=":material/add:", key="qa_chaos_add", on_click=_edit, args=(_NEW,),
            type="primary" if edited is None else "secondary",
        )  # fmt: skip


def _edit(what: int | str | None) -> None:
    """Open the form, or close it with None."""
    session_value(_EDITED).value = what


def _replace_rule(sandbox: SandboxClient, document: Document, at: int, rule: Rule) -> None:
    _replace(sandbox, with_rule(document, rule, at))


def _add(sandbox: SandboxClient, rule: Rule) -> None:
    _change(sandbox, lambda current: with_rule(current, rule))


def _form(
    rule: Rule,
    on_apply: Callable[[Rule], None],
    *,
    opened_for: int | str,
    label: str,
    key: str,
) -> None:
    def apply(edited: Rule) -> None:
        # A second click may arrive before the page is drawn without the form.
        if session_value(_EDITED).value == opened_for:
            on_apply(edited)

    with st.container(border=True, key=f"{key}_form"):
        edited = rule_form(rule, key=key)
        with st.container(horizontal=True):
            st.button(label, key=f"{key}_apply", type="primary", on_click=apply, args=(edited,))
            st.button("Cancel", key=f"{key}_cancel", type="tertiary", on_click=_edit, args=(None,))


def _dial(document: Document, at: int, sandbox: SandboxClient) -> None:
    rule: Rule = document["rules"][at]
    key = f"qa_chaos_share_{at}"
    share = round(100 * rule["probability"])
    set_value(key, share)

    def turned() -> None:
        percent = st.session_state.get(key)
        if percent is not None and not is_outdated(key):
            _replace_rule(sandbox, document, at, {**rule, "probability": percent / 100})

    st.slider(
        f"Share of rule {at + 1}", 0, 100, share, step=1, format="%d %%", key=key,
        on_change=turned, label_visibility="collapsed", width=220,
    )  # fmt: skip
    st.button(
        "Change", icon=":material/tune:", key=f"qa_chaos_change_{at}", help=f"Change rule {at + 1}",
        on_click=_edit, args=(at,),
    )  # fmt: skip
    st.button(
        "Remove", key=f"qa_chaos_remove_{at}", icon=":material/delete:",
        help=f"Remove rule {at + 1}", on_click=once("qa_chaos_remove", _replace),
        args=(sandbox, without_rule(document, at)),
    )  # fmt: skip


def _presets(sandbox: SandboxClient) -> None:
    st.caption("Or begin with one of these, and change it:")
    with st.container(horizontal=True, gap="small"):
        for name, rule in PRESETS.items():
            key = f"qa_chaos_preset_{name}"
            st.button(name, key=key, on_click=once(key, _add), args=(sandbox, rule))
