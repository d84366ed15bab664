"""The languages of calls, and the choice of one for a number."""

from enum import StrEnum

from babel import parse_locale
from babel.languages import get_official_languages


class Language(StrEnum):
    """The languages of calls. Plivo has a basic voice for each."""

    EN = "en"
    EN_GB = "en-GB"
    EN_AU = "en-AU"
    ES = "es"
    ES_US = "es-US"
    FR = "fr"
    FR_CA = "fr-CA"
    DE = "de"
    IT = "it"
    PT = "pt"
    PT_BR = "pt-BR"
    NL = "nl"
    SV = "sv"
    PL = "pl"
    RU = "ru"
    DA = "da"


def language_for(locale: str | None, region: str | None) -> Language:
    """The language to speak: that of `locale` (BCP 47, the browser's), else the first official one
    of `region` (ISO 3166, the number's country), else English. Either may be malformed."""
    preferred, territory = _read_locale(locale)
    first = get_official_languages(region, de_facto=True)[:1] if region else ()
    for language, where in ((preferred, territory or region), *((lang, region) for lang in first)):
        if language in _SPOKEN:
            if language == "es" and where in _SPANISH_OF_AMERICA:
                return Language.ES_US
            exact = f"{language}-{where}"
            return Language(exact if exact in set(Language) else language)
    return Language.EN


def _read_locale(locale: str | None) -> tuple[str | None, str | None]:
    """Language and territory of a BCP 47 tag, as far as it has them."""
    try:
        parts = parse_locale((locale or "").replace("_", "-"), sep="-")
    except ValueError:
        return None, None
    return parts[0], parts[1]


# 419 is Latin America as a whole.
# fmt: off
_SPANISH_OF_AMERICA = {
    "419", "US", "AR", "BO", "CL", "CO", "CR", "CU", "DO", "EC", "GT", "HN", "MX", "NI", "PA", "PE",
    "PR", "PY", "SV", "UY", "VE",
}
# fmt: on
_SPOKEN = {language for language in Language if "-" not in language}
