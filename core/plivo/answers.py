"""Reads Plivo's answer to a send, a 2xx."""

from core.model.errors import AttemptUnknown
from core.model.unreadable import Unreadable
from core.plivo.values import fields_of, is_absent, masked_value, text

UNCONFIRMED = "It may still arrive: wait for it before you send another."


def empty_answer(status: int = 200) -> AttemptUnknown:
    """The error for a 2xx without the documented content."""
    return AttemptUnknown("Plivo's answer could not be read.", UNCONFIRMED, status)


def reference_of(response: object, name: str) -> str:
    """The reference in a 2xx to a send: the field `name`, or the first of its list. Raises
    AttemptUnknown if it is missing or cannot be read."""
    value = fields_of(response).get(name)
    if isinstance(value, list) and value:
        value = value[0]
    failure = empty_answer()
    if is_absent(value):
        raise failure
    try:
        return text(value)
    except ValueError:
        failure.unreadable = (Unreadable(name, masked_value(name, value)),)
        raise failure from None
