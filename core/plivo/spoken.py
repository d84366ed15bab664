"""The spoken text of a call, as Plivo XML.

An answering machine never gets the code: the call asks for a 1, and only `code_read_out`, the
answer to that key, holds the code.

Decision: basic voices and digits with commas between them, no SSML. SSML needs a Polly voice, which
is billed and named apart for each language; a comma makes every voice pause and read one digit.
That a basic voice reads a lone numeral in its own language, and that an unanswered GetInput goes on
to the next element once `PATIENCE_SECONDS` are over, is UNVERIFIED against the live service.
"""

from dataclasses import dataclass
from enum import StrEnum

from plivo import plivoxml

from core.model.code import Code
from core.plivo.language import Language

#: How often the call asks for the key before it ends, by default.
QUESTIONS = 2
#: How often the code is read out.
READINGS = 3
# Plivo allows 5 to 60: time to take the phone from the ear and find the keypad.
PATIENCE_SECONDS = 10


class SpokenRefusal(StrEnum):
    """Why no code is read out."""

    EXPIRED = "expired"
    USED = "used"
    CLOSED = "closed"  # either, or another code has been sent since


@dataclass(frozen=True, slots=True)
class _Sentences:
    """`question` has one gap, for the brand."""

    question: str
    wrong_key: str
    code_is: str
    goodbye: str
    refusals: dict[SpokenRefusal, str]


def prompt(action_url: str, *, brand: str, language: Language, tries: int = QUESTIONS) -> str:
    """Ask `tries` times for a 1, then say goodbye. The key goes to `action_url`, by POST."""
    return _question("", action_url, brand, language, tries)


def again(action_url: str, *, brand: str, language: Language, tries: int = QUESTIONS) -> str:
    """Say that the key was wrong, and repeat `prompt`."""
    return _question(_SENTENCES[language[:2]].wrong_key, action_url, brand, language, tries)


def code_read_out(code: Code, *, language: Language) -> str:
    """Read the digits out one by one, `READINGS` times, then say goodbye."""
    sentences = _SENTENCES[language[:2]]
    response = plivoxml.ResponseElement()
    for _ in range(READINGS):
        _speak(response, f"{sentences.code_is} {', '.join(code.reveal())}.", language)
        response.add(plivoxml.WaitElement(length=1))
    return _ended(response, sentences.goodbye, language)


def refused(language: Language, why: SpokenRefusal = SpokenRefusal.CLOSED) -> str:
    """Say why there is no code to hear, and hang up."""
    refusal = _SENTENCES[language[:2]].refusals[why]
    return _ended(plivoxml.ResponseElement(), refusal, language)


def _question(opening: str, action_url: str, brand: str, language: Language, tries: int) -> str:
    sentences = _SENTENCES[language[:2]]
    response = plivoxml.ResponseElement()
    # The first second of a call is often lost while the phone moves to the ear.
    response.add(plivoxml.WaitElement(length=1))
    if opening:
        _speak(response, opening, language)
    for _ in range(tries):
        listen = plivoxml.GetInputElement(
            action=action_url,
            method="POST",
            input_type="dtmf",
            num_digits=1,
            execution_timeout=PATIENCE_SECONDS,
            log=False,
        )
        _speak(listen, sentences.question.format(brand), language)
        response.add(listen)
    return _ended(response, sentences.goodbye, language)


def _speak(
    into: plivoxml.ResponseElement | plivoxml.GetInputElement, text: str, language: Language
) -> None:
    into.add(plivoxml.SpeakElement(text, voice="WOMAN", language=language.voice))


def _ended(response: plivoxml.ResponseElement, last: str, language: Language) -> str:
    _speak(response, last, language)
    response.add(plivoxml.HangupElement())
    return str(response.to_string(False))


def _in(
    question: str, wrong_key: str, code_is: str, goodbye: str, expired: str, used: str, closed: str
) -> _Sentences:
    why = {
        SpokenRefusal.EXPIRED: expired,
        SpokenRefusal.USED: used,
        SpokenRefusal.CLOSED: closed,
    }
    return _Sentences(question, wrong_key, code_is, goodbye, why)


_SENTENCES = {
    "en": _in(
        "This is {}. To hear your verification code, press 1.",
        "That was not the 1.",
        "Your code is:",
        "Goodbye.",
        "Your code has expired. Please ask for a new one. Goodbye.",
        "Your code has already been used. Goodbye.",
        "This code is no longer valid. Please ask for a new one. Goodbye.",
    ),
    "es": _in(
        "Le llama {}. Para escuchar su código de verificación, pulse 1.",
        "Esa tecla no es el 1.",
        "Su código es:",
        "Adiós.",
        "Su código ha caducado. Solicite uno nuevo. Adiós.",
        "Su código ya se ha utilizado. Adiós.",
        "Este código ya no es válido. Solicite uno nuevo. Adiós.",
    ),
    "fr": _in(
        "Bonjour, ici {}. Pour écouter votre code de vérification, appuyez sur 1.",
        "Ce n'était pas le 1.",
        "Votre code est :",
        "Au revoir.",
        "Votre code a expiré. Veuillez en demander un nouveau. Au revoir.",
        "Votre code a déjà été utilisé. Au revoir.",
        "Ce code n'est plus valable. Veuillez en demander un nouveau. Au revoir.",
    ),
    "de": _in(
        "Hier ist {}. Um Ihren Bestätigungscode zu hören, drücken Sie die 1.",
        "Das war nicht die 1.",
        "Ihr Code lautet:",
        "Auf Wiederhören.",
        "Ihr Code ist abgelaufen. Bitte fordern Sie einen neuen an. Auf Wiederhören.",
        "Ihr Code wurde bereits verwendet. Auf Wiederhören.",
        "Dieser Code gilt nicht mehr. Bitte fordern Sie einen neuen an. Auf Wiederhören.",
    ),
    "it": _in(
        "Chiamata da {}. Per ascoltare il suo codice di verifica, prema 1.",
        "Non era il tasto 1.",
        "Il suo codice è:",
        "Arrivederci.",
        "Il suo codice è scaduto. Ne richieda uno nuovo. Arrivederci.",
        "Il suo codice è già stato usato. Arrivederci.",
        "Questo codice non è più valido. Ne richieda uno nuovo. Arrivederci.",
    ),
    "pt": _in(
        "Aqui fala {}. Para ouvir o seu código de verificação, pressione 1.",
        "Essa tecla não é o 1.",
        "O seu código é:",
        "Até logo.",
        "O seu código expirou. Por favor, peça um novo. Até logo.",
        "O seu código já foi usado. Até logo.",
        "Este código já não é válido. Por favor, peça um novo. Até logo.",
    ),
    "nl": _in(
        "U spreekt met {}. Druk op 1 om uw verificatiecode te horen.",
        "Dat was niet de 1.",
        "Uw code is:",
        "Tot ziens.",
        "Uw code is verlopen. Vraag een nieuwe aan. Tot ziens.",
        "Uw code is al gebruikt. Tot ziens.",
        "Deze code is niet meer geldig. Vraag een nieuwe aan. Tot ziens.",
    ),
    "sv": _in(
        "Det här är {}. Tryck på 1 för att höra din verifieringskod.",
        "Det var inte ettan.",
        "Din kod är:",
        "Hej då.",
        "Din kod har gått ut. Be om en ny. Hej då.",
        "Din kod har redan använts. Hej då.",
        "Den här koden gäller inte längre. Be om en ny. Hej då.",
    ),
    "pl": _in(
        "Tu {}. Aby usłyszeć kod weryfikacyjny, naciśnij 1.",
        "To nie był klawisz 1.",
        "Twój kod to:",
        "Do widzenia.",
        "Twój kod wygasł. Poproś o nowy. Do widzenia.",
        "Twój kod został już użyty. Do widzenia.",
        "Ten kod nie jest już ważny. Poproś o nowy. Do widzenia.",
    ),
    "ru": _in(
        "Вам звонит {}. Чтобы прослушать код подтверждения, нажмите 1.",
        "Это была не единица.",
        "Ваш код:",
        "До свидания.",
        "Срок действия кода истёк. Запросите новый. До свидания.",
        "Ваш код уже использован. До свидания.",
        "Этот код больше не действует. Запросите новый. До свидания.",
    ),
    "da": _in(
        "Det er {}. Tryk på 1 for at høre din bekræftelseskode.",
        "Det var ikke 1.",
        "Din kode er:",
        "Farvel.",
        "Din kode er udløbet. Bed om en ny. Farvel.",
        "Din kode er allerede brugt. Farvel.",
        "Denne kode gælder ikke længere. Bed om en ny. Farvel.",
    ),
}
