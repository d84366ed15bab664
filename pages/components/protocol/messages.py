"""The messages of Streamlit's protocol: which our pages send, and which end a run."""

from google.protobuf.message import DecodeError
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

#: Maximum bytes of a message from a browser. Those of our pages have a few kB.
LONGEST = 256 * 1024

#: The kinds that a browser sends on our pages; tests/browser/test_walk.py fails for another kind.
#: The rest is for developers, uploads or a debugger; `clear_cache` empties all visitors' caches.
ALLOWED = frozenset({"rerun_script", "stop_script", "app_heartbeat", "backend_operation_request"})
#: The file of a download button, made on a click; rows of a table, loaded on scrolling.
_OPERATIONS = frozenset({"deferred_file", "dataframe_chunk"})
_WORK = frozenset({"rerun_script", "backend_operation_request"})

#: A message that ends a run has tens of bytes; longer ones are not parsed.
_LONGEST_END = 1024
_ENDS = frozenset(
    {
        ForwardMsg.FINISHED_SUCCESSFULLY,
        ForwardMsg.FINISHED_WITH_COMPILE_ERROR,
        ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY,
    }
)


def is_allowed(data: bytes) -> bool:
    """Whether a message from a browser is well formed and of a kind that our pages send."""
    try:
        message = BackMsg.FromString(data)
    except DecodeError:
        return False
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in _OPERATIONS
    return kind in ALLOWED


def is_work(data: bytes) -> bool:
    """Whether an allowed message makes the process run a page's code."""
    return BackMsg.FromString(data).WhichOneof("type") in _WORK


def is_fragment_run(data: bytes) -> bool:
    """Whether an allowed message runs one part of a page."""
    message = BackMsg.FromString(data)
    is_run = message.WhichOneof("type") == "rerun_script"
    return is_run and bool(message.rerun_script.fragment_id)


def ends_work(data: bytes) -> bool:
    """Whether a message to a browser says that its run, or its operation, has ended."""
    if len(data) > _LONGEST_END:
        return False
    message = ForwardMsg.FromString(data)
    match message.WhichOneof("type"):
        case "script_finished":
            return message.script_finished in _ENDS
        case "backend_operation_response":
            return True
        case _:
            return False
