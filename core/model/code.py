"""The code of a verification, as a value that does not show itself."""


class Code:
    """The digits of one verification. Neither `repr` nor `str` shows them; `reveal` does."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str) -> None:
        self._digits = digits

    def __repr__(self) -> str:
        return "Code(•)"

    def reveal(self) -> str:
        """The digits, for the request to the provider, the spoken answer and masking only."""
        return self._digits
