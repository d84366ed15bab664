"""TEST_PHONES: what it takes, and that its errors name an entry and quote no number."""

from pathlib import Path

import pytest

from core.settings.own_phones import MAX_PHONES, OwnPhone
from core.settings.reading import read_settings
from tests.settings.test_settings import project, refusal

FIRST, SECOND = "+4915112345678", "+14155550100"


@pytest.mark.parametrize(
    ("text", "phones"),
    [
        ("", []),
        (f"Anna's Pixel = {FIRST} , Büro=14155550100,", [
            OwnPhone("Anna's Pixel", FIRST), OwnPhone("Büro", SECOND),
        ]),
        (f"Pixel 9, Android=15={FIRST}", None),
        (f"a=b={FIRST}", [OwnPhone("a=b", FIRST)]),
        ("iPhone 15 (2024)=+49 151 123 45678", [OwnPhone("iPhone 15 (2024)", FIRST)]),
    ],
)  # fmt: skip
def test_entries_are_labels_and_numbers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, phones: list[OwnPhone] | None
) -> None:
    monkeypatch.setenv("TEST_PHONES", text)
    if phones is None:
        assert "entry 1 has no label" in refusal(tmp_path).cause
    else:
        settings = read_settings(tmp_path)
        assert list(settings.test_phones) == phones
        assert FIRST not in repr(settings)


def test_a_list_in_toml_is_taken_too(tmp_path: Path) -> None:
    toml = f'TEST_PHONES = ["Anna, her Pixel={FIRST}"]\n'
    assert read_settings(project(tmp_path, toml=toml)).test_phones == (
        OwnPhone("Anna, her Pixel", FIRST),
    )


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        (FIRST, "has no label"),
        (f" ={FIRST}", "has no label"),
        ("Anna", "has no label"),
        ("Anna=", "has no full number"),
        ("Anna=015112345678", "has no full number"),
        ("Anna=+4915", "has no full number"),
        (f"{FIRST}={FIRST}", "has a number in its label"),
        (f"Anna 0151 123 456 78={FIRST}", "has a number in its label"),
        (f"{'a' * 41}={FIRST}", "has a label that is not of 1 to 40"),
        (f"A\u0007={FIRST}", "has a label that is not of 1 to 40"),
        (f"OFFICE={FIRST}", "repeats a label"),
        (f"Anna={SECOND}", "repeats a number"),
        ("Anna=1 415 555 0100", "repeats a number"),
    ],
)
def test_a_wrong_entry_is_named_by_its_place_and_not_quoted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, problem: str
) -> None:
    monkeypatch.setenv("TEST_PHONES", f"Office={SECOND},{entry}")
    cause = refusal(tmp_path).cause
    assert cause.startswith("TEST_PHONES must be labels and numbers")
    assert f"entry 2 {problem}" in cause
    assert "4915" not in cause
    assert "0151" not in cause


def test_the_count_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [f"Phone {n}=+14155550{n:03}" for n in range(100, 101 + MAX_PHONES)]
    monkeypatch.setenv("TEST_PHONES", ",".join(entries))
    assert f"at most {MAX_PHONES} phones, not {MAX_PHONES + 1}" in refusal(tmp_path).cause
