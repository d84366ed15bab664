"""Finds the messages of a page that the browser has just left.

A fragment of the old page may report a change while the next page is asked for or drawn. Streamlit
then runs the old page instead of the next one, or finds no such fragment, reports the old page as
the current one, and the browser removes what the next page has drawn. The guard drops
such a report.
"""

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

#: The message with the menu and the page that is shown has about 1 kB; longer ones are not parsed.
_LONGEST_MENU = 16 * 1024


class ShownPage:
    """The page of one socket, by the hash that Streamlit gives to its file. "" is not known."""

    def __init__(self) -> None:
        self._requested = ""
        self._shown = ""

    def is_outdated(self, data: bytes) -> bool:
        """Whether a message from the browser runs a fragment of another page. Call it for each
        message that runs code, in their order."""
        message = BackMsg.FromString(data)
        if message.WhichOneof("type") != "rerun_script":
            return False
        run = message.rerun_script
        if not run.fragment_id:
            self._requested = run.page_script_hash
            return False
        current = self._requested or self._shown
        return bool(current) and run.page_script_hash != current

    def follow(self, data: bytes) -> bool:
        """Whether a run begins. Call it for each message to the browser: the server changes the
        page too."""
        if len(data) > _LONGEST_MENU:
            return False
        message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        # Not `new_session`: at a first load it names the main script in place of the page.
        if kind == "navigation":
            self._shown = message.navigation.page_script_hash
            if self._shown == self._requested:
                self._requested = ""
        return bool(kind == "new_session")
