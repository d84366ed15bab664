"""Which reports come from a page that the browser has left."""

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from pages.components.protocol.shown_page import ShownPage


def run(page: str, fragment: str = "") -> bytes:
    message = BackMsg()
    message.rerun_script.page_script_hash = page
    message.rerun_script.fragment_id = fragment
    return bytes(message.SerializeToString())


def opened(page: str) -> bytes:
    message = ForwardMsg()
    message.navigation.page_script_hash = page
    return bytes(message.SerializeToString())


def test_a_fragment_of_the_page_before_is_outdated_as_soon_as_the_next_is_requested() -> None:
    shown = ShownPage()
    assert not shown.is_outdated(run(""))
    shown.follow(opened("verify"))
    assert not shown.is_outdated(run("verify", "live"))
    assert not shown.is_outdated(run("delivery"))
    assert shown.is_outdated(run("verify", "live"))
    # The run before has still something to say.
    shown.follow(opened("verify"))
    assert shown.is_outdated(run("verify", "live"))
    shown.follow(opened("delivery"))
    assert shown.is_outdated(run("verify", "live"))
    assert not shown.is_outdated(run("delivery", "panels"))


def test_a_page_that_the_server_opens_counts_too() -> None:
    shown = ShownPage()
    shown.is_outdated(run("verify"))
    shown.follow(opened("verify"))
    shown.follow(opened("attempts"))
    assert shown.is_outdated(run("verify", "live"))
    assert not shown.is_outdated(run("attempts", "list"))


def test_without_a_known_page_and_for_other_messages_nothing_is_outdated() -> None:
    shown = ShownPage()
    assert not shown.is_outdated(run("verify", "live"))
    other = BackMsg()
    other.stop_script = True
    assert not shown.is_outdated(other.SerializeToString())
