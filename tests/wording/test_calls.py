"""The sentences that a call speaks."""

from core.model.language import Language
from core.wording.calls import CodeRefusal, call_texts


def test_each_refusal_has_its_own_sentence_in_each_language() -> None:
    # A language and its regional voices share their sentences.
    texts = {
        call_texts(language).refusal(why)
        for language in Language
        if "-" not in language
        for why in CodeRefusal
    }
    assert len(texts) == 11 * len(CodeRefusal)
