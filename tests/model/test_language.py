"""The choice of the language of a call."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.model.language import Language, language_for


@pytest.mark.parametrize(
    ("locale", "region", "language"),
    [
        ("de-DE", "US", Language.DE),  # the person wins over the number
        ("en-US", "DE", Language.EN),
        ("en", "GB", Language.EN_GB),
        ("en-AU", "DE", Language.EN_AU),
        ("fr-CA", "US", Language.FR_CA),
        ("fr-CH", "CH", Language.FR),
        ("pt-br", None, Language.PT_BR),
        ("pt_PT", "BR", Language.PT),
        ("es-419", "DE", Language.ES_US),
        ("es-ES", "US", Language.ES),
        ("es", "DE", Language.ES),
        ("ja-JP", "GB", Language.EN_GB),
        ("ja-JP", "JP", Language.EN),
        (None, "DE", Language.DE),
        (None, "MX", Language.ES_US),
        (None, "BR", Language.PT_BR),
        (None, "FI", Language.EN),  # Swedish is official there too, but few speak it
        (None, "XX", Language.EN),
        ("*", "", Language.EN),
        ("", None, Language.EN),
        (None, None, Language.EN),
    ],
)
def test_the_language_is_the_persons_else_the_countrys_else_english(locale, region, language):
    assert language_for(locale, region) is language


@given(st.text(), st.text())
def test_no_locale_and_no_region_is_an_error(locale, region):
    assert language_for(locale, region) in Language
