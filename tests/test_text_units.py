"""The sandbox bills the parts that the product announces."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.plivo.message_text import measure
from core.sandbox.errors import Refusal
from core.sandbox.messages.text_units import text_units

GSM = "a@\n\r€^{}\\[~]|\fÄñ£ Δ"
WIDE = "a€я🐍\u200b✓"


@given(
    st.one_of(
        st.text(max_size=900),
        st.text(GSM, min_size=140, max_size=900),
        st.text(WIDE, min_size=60, max_size=450),
        st.text("a€", min_size=1500, max_size=1650),
        st.text("я🐍", min_size=340, max_size=760),
    )
)
# A part ends with room for one unit, and a character of two follows.
@example("a" * 152 + "€" + "a" * 152 + "€")
@example("я" * 66 + "🐍" + "я" * 66)
@example("a" * 160)
@example("я" * 70)
@example("€" * 80)
@example("")
def test_the_sandbox_and_the_product_count_the_same_parts(text: str) -> None:
    size = measure(text)
    if size.units > size.encoding.longest:
        with pytest.raises(Refusal):
            text_units(text)
    else:
        assert text_units(text) == size.parts


def test_a_character_of_two_units_is_never_split() -> None:
    assert text_units("a" * 152 + "€" + "a" * 152) == 3
    assert text_units("я" * 66 + "🐍" + "я" * 66) == 3
