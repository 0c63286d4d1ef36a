"""Other languages are noticed; English, however it is written, is left alone."""

from __future__ import annotations

import json

import pytest

from bot.measure.questions import OWN
from bot.services.languages import ENGLISH_ONLY
from bot.services.words import english_only
from knowledge.corpus import Corpus
from knowledge.language import SPOKEN, UNKNOWN, Languages

FOREIGN = {
    "ar": "أين استرداد أموالي من فضلك",
    "cs": "kdy dostanu zpátky své peníze za předplatné",
    "da": "hvornår får jeg mine penge tilbage fra jer",
    "de": "ich möchte mein Abo kündigen und mein Geld zurück",
    "el": "πότε θα πάρω πίσω τα χρήματά μου",
    "es": "quiero que me devuelvan el dinero de la suscripción",
    "fi": "milloin saan rahani takaisin tilauksesta",
    "fr": "je voudrais savoir quand je serai remboursé",
    "he": "מתי אקבל את הכסף שלי בחזרה",
    "hi": "मेरा पैसा कब वापस मिलेगा",
    "hu": "mikor kapom vissza a pénzemet az előfizetésért",
    "it": "quando mi restituite i soldi dell'abbonamento",
    "ja": "返金はいつになりますか",
    "ko": "환불은 언제 되나요",
    "nl": "wanneer krijg ik mijn geld terug voor het abonnement",
    "pl": "kiedy dostanę zwrot pieniędzy za subskrypcję",
    "pt": "quando vou receber o meu dinheiro de volta",
    "ru": "когда мне вернут деньги за подписку",
    "sv": "när får jag tillbaka mina pengar för prenumerationen",
    "th": "ฉันจะได้รับเงินคืนเมื่อไหร่",
    "tr": "paramı ne zaman geri alacağım acaba",
    "uk": "коли мені повернуть гроші за підписку",
    "vi": "khi nào tôi được hoàn tiền cho gói đăng ký",
    "zh": "我什么时候可以拿到退款",
}


@pytest.fixture(scope="module")
def languages(corpus: Corpus) -> Languages:
    return Languages(corpus.vocabulary)


@pytest.mark.parametrize(("language", "text"), FOREIGN.items())
def test_a_sentence_in_another_language_is_noticed(languages: Languages, language: str, text: str) -> None:
    assert languages.foreign(text) == language


def test_a_language_that_we_have_no_line_in_is_no_english_either(languages: Languages) -> None:
    assert languages.foreign("სად არის ჩემი ფული") == UNKNOWN


@pytest.mark.parametrize("text", ["hola", "Bonjour!", "danke", "merci beaucoup"])
def test_a_greeting_is_noticed(languages: Languages, text: str) -> None:
    assert languages.foreign(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "", "?", "12345", "refnd plz", "wheres my mony", "amex?", "vat invoice", "sepa mandate cancel",
        "u chargd me twise",        "INV-2041", "asdf qwer", "hi, my name is José García, where is my refund", "👍👍",
        "3ds popup blank in firefox",
    ],
)  # fmt: skip
def test_english_however_short_or_misspelt_is_left_alone(languages: Languages, text: str) -> None:
    assert languages.foreign(text) is None


def test_hardly_any_english_question_is_taken_for_another_language(languages: Languages) -> None:
    asked = [
        json.loads(line)["question"]
        for path in sorted(OWN.glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    taken = [text for text in asked if languages.foreign(text) is not None]
    assert len(taken) <= 0.005 * len(asked), taken


def test_each_language_has_a_line_and_the_button_in_it() -> None:
    assert ENGLISH_ONLY.keys() == set(SPOKEN) - {"en"}
    for language, line in ENGLISH_ONLY.items():
        assert "“Talk to a specialist”" in line
        assert line in english_only(language)
    assert english_only("xx").startswith("I read only English")
