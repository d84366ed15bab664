"""Writes the XML of a call: its sentences, the wait for a key, and the digits of the code.

An answering machine never gets the code: the call asks for a 1, and only `code_read_out`, the
answer to that key, holds the code.

Decision: basic voices and digits with commas between them, no SSML. SSML needs a Polly voice, which
is billed and named apart for each language; a comma makes every voice pause and read one digit.
That a basic voice reads a lone numeral in its own language is UNVERIFIED against the live service.

Every sentence before the key is inside a GetInput, whose nested Speak ends at the first key: Plivo
loses keys that are pressed outside one. Its pages nest only Speak and Play, and an unanswered
GetInput goes on to the next element `KEY_TIMEOUT_SECONDS` after its last sentence.
"""

from plivo import plivoxml

from core.model.code import Code
from core.model.language import Language

#: How often the call asks for the key before it ends.
QUESTIONS = 2
#: How often the code is read out.
READINGS = 3
# Plivo allows 5 to 60: time to take the phone from the ear and find the keypad.
KEY_TIMEOUT_SECONDS = 10


def prompt(
    action_url: str,
    *,
    question: str,
    goodbye: str,
    language: Language,
    opening: str = "",
) -> str:
    """Speak `opening`, ask for a key QUESTIONS times, say goodbye. A key that is pressed before the
    goodbye goes to `action_url`, by POST."""
    response = plivoxml.ResponseElement()
    for n in range(QUESTIONS):
        key_input = plivoxml.GetInputElement(
            action=action_url,
            method="POST",
            input_type="dtmf",
            num_digits=1,
            execution_timeout=KEY_TIMEOUT_SECONDS,
            log=False,
        )
        if opening and n == 0:
            _speak(key_input, opening, language)
        _speak(key_input, question, language)
        response.add(key_input)
    return _ended(response, goodbye, language)


def code_read_out(code: Code, *, code_is: str, goodbye: str, language: Language) -> str:
    """Read the digits out after `code_is`, `READINGS` times, then say goodbye."""
    response = plivoxml.ResponseElement()
    for _ in range(READINGS):
        _speak(response, f"{code_is} {', '.join(code.reveal())}.", language)
        response.add(plivoxml.WaitElement(length=1))
    return _ended(response, goodbye, language)


def sentence(text: str, *, language: Language) -> str:
    """Speak one sentence and hang up."""
    return _ended(plivoxml.ResponseElement(), text, language)


def voice_of(language: Language) -> str:
    """Plivo's code of the voice, such as `de-DE`."""
    return language if "-" in language else _VOICES[language]


def _speak(
    into: plivoxml.ResponseElement | plivoxml.GetInputElement, text: str, language: Language
) -> None:
    into.add(plivoxml.SpeakElement(text, voice="WOMAN", language=voice_of(language)))


def _ended(response: plivoxml.ResponseElement, last: str, language: Language) -> str:
    _speak(response, last, language)
    response.add(plivoxml.HangupElement())
    return str(response.to_string(False))


_VOICES = {
    Language.EN: "en-US",
    Language.ES: "es-ES",
    Language.FR: "fr-FR",
    Language.DE: "de-DE",
    Language.IT: "it-IT",
    Language.PT: "pt-PT",
    Language.NL: "nl-NL",
    Language.SV: "sv-SE",
    Language.PL: "pl-PL",
    Language.RU: "ru-RU",
    Language.DA: "da-DK",
}
