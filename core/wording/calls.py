"""The sentences that a call speaks, in each language."""

from dataclasses import dataclass
from enum import StrEnum

from core.model.language import Language


class CodeRefusal(StrEnum):
    """Why a call reads no code out."""

    EXPIRED = "expired"
    USED = "used"
    CLOSED = "closed"  # either, or another code has been sent since


@dataclass(frozen=True, slots=True)
class CallTexts:
    """`question_of_brand` has one gap, for the brand; `code_is` stands before the digits."""

    question_of_brand: str
    wrong_key: str
    code_is: str
    goodbye: str
    expired: str
    used: str
    closed: str

    def question(self, brand: str) -> str:
        return self.question_of_brand.format(brand)

    def refusal(self, why: CodeRefusal) -> str:
        match why:
            case CodeRefusal.EXPIRED:
                return self.expired
            case CodeRefusal.USED:
                return self.used
            case CodeRefusal.CLOSED:
                return self.closed


def call_texts(language: Language) -> CallTexts:
    """A language and its regional voices share their sentences."""
    return _TEXTS[language[:2]]


_TEXTS = {
    "en": CallTexts(
        "This is {}. To hear your verification code, press 1.",
        "That was not the 1.",
        "Your code is:",
        "Goodbye.",
        "Your code has expired. Please ask for a new one. Goodbye.",
        "Your code has already been used. Goodbye.",
        "This code is no longer valid. Please ask for a new one. Goodbye.",
    ),
    "es": CallTexts(
        "Le llama {}. Para escuchar su código de verificación, pulse 1.",
        "Esa tecla no es el 1.",
        "Su código es:",
        "Adiós.",
        "Su código ha caducado. Solicite uno nuevo. Adiós.",
        "Su código ya se ha utilizado. Adiós.",
        "Este código ya no es válido. Solicite uno nuevo. Adiós.",
    ),
    "fr": CallTexts(
        "Bonjour, ici {}. Pour écouter votre code de vérification, appuyez sur 1.",
        "Ce n'était pas le 1.",
        "Votre code est :",
        "Au revoir.",
        "Votre code a expiré. Veuillez en demander un nouveau. Au revoir.",
        "Votre code a déjà été utilisé. Au revoir.",
        "Ce code n'est plus valable. Veuillez en demander un nouveau. Au revoir.",
    ),
    "de": CallTexts(
        "Hier ist {}. Um Ihren Bestätigungscode zu hören, drücken Sie die 1.",
        "Das war nicht die 1.",
        "Ihr Code lautet:",
        "Auf Wiederhören.",
        "Ihr Code ist abgelaufen. Bitte fordern Sie einen neuen an. Auf Wiederhören.",
        "Ihr Code wurde bereits verwendet. Auf Wiederhören.",
        "Dieser Code gilt nicht mehr. Bitte fordern Sie einen neuen an. Auf Wiederhören.",
    ),
    "it": CallTexts(
        "Chiamata da {}. Per ascoltare il suo codice di verifica, prema 1.",
        "Non era il tasto 1.",
        "Il suo codice è:",
        "Arrivederci.",
        "Il suo codice è scaduto. Ne richieda uno nuovo. Arrivederci.",
        "Il suo codice è già stato usato. Arrivederci.",
        "Questo codice non è più valido. Ne richieda uno nuovo. Arrivederci.",
    ),
    "pt": CallTexts(
        "Aqui fala {}. Para ouvir o seu código de verificação, pressione 1.",
        "Essa tecla não é o 1.",
        "O seu código é:",
        "Até logo.",
        "O seu código expirou. Por favor, peça um novo. Até logo.",
        "O seu código já foi usado. Até logo.",
        "Este código já não é válido. Por favor, peça um novo. Até logo.",
    ),
    "nl": CallTexts(
        "U spreekt met {}. Druk op 1 om uw verificatiecode te horen.",
        "Dat was niet de 1.",
        "Uw code is:",
        "Tot ziens.",
        "Uw code is verlopen. Vraag een nieuwe aan. Tot ziens.",
        "Uw code is al gebruikt. Tot ziens.",
        "Deze code is niet meer geldig. Vraag een nieuwe aan. Tot ziens.",
    ),
    "sv": CallTexts(
        "Det här är {}. Tryck på 1 för att höra din verifieringskod.",
        "Det var inte ettan.",
        "Din kod är:",
        "Hej då.",
        "Din kod har gått ut. Be om en ny. Hej då.",
        "Din kod har redan använts. Hej då.",
        "Den här koden gäller inte längre. Be om en ny. Hej då.",
    ),
    "pl": CallTexts(
        "Tu {}. Aby usłyszeć kod weryfikacyjny, naciśnij 1.",
        "To nie był klawisz 1.",
        "Twój kod to:",
        "Do widzenia.",
        "Twój kod wygasł. Poproś o nowy. Do widzenia.",
        "Twój kod został już użyty. Do widzenia.",
        "Ten kod nie jest już ważny. Poproś o nowy. Do widzenia.",
    ),
    "ru": CallTexts(
        "Вам звонит {}. Чтобы прослушать код подтверждения, нажмите 1.",
        "Это была не единица.",
        "Ваш код:",
        "До свидания.",
        "Срок действия кода истёк. Запросите новый. До свидания.",
        "Ваш код уже использован. До свидания.",
        "Этот код больше не действует. Запросите новый. До свидания.",
    ),
    "da": CallTexts(
        "Det er {}. Tryk på 1 for at høre din bekræftelseskode.",
        "Det var ikke 1.",
        "Din kode er:",
        "Farvel.",
        "Din kode er udløbet. Bed om en ny. Farvel.",
        "Din kode er allerede brugt. Farvel.",
        "Denne kode gælder ikke længere. Bed om en ny. Farvel.",
    ),
}
