from __future__ import annotations

import pytest

from oguardai.detection.context import REACH, Index, Nearby

CARD = ("card", "credit*", "*karte", "*pass*", "bank account")
PHONE = ("phone*", "tel", "number is", "*電話*")
INDEX = Index((CARD, PHONE))


def named(words: tuple[str, ...], text: str, start: int | None = None) -> str | None:
    nearby = Nearby(INDEX, text.lower())
    word = nearby.last(INDEX.bit(words), len(text) if start is None else start)
    return None if word is None else INDEX.named(words, nearby.low, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("card ", "card"),
        ("Card: ", "card"),
        ("CARD_NUMBER=", "card"),
        ("creditworthy ", "credit*"),
        ("Kreditkarte ", "*karte"),
        ("meinpassnummer ", "*pass*"),
        ("bank account ", "bank account"),
        ("bank_account: ", "bank account"),
        ("bank-account number ", "bank account"),
        ("cards ", None),
        ("postcard ", None),
        ("Kreditkarten ", None),
        ("bank accounts ", None),
        ("bank  account ", None),
    ],
)
def test_a_word_is_met_as_the_table_says(text: str, word: str | None) -> None:
    assert named(CARD, text) == word


def test_a_word_of_a_script_without_spaces_is_met_inside_others() -> None:
    assert named(PHONE, "私の電話番号は") == "*電話*"


def test_a_word_counts_within_reach_only() -> None:
    assert named(PHONE, "tel" + " " * (REACH - 3)) == "tel"
    assert named(PHONE, "tel" + " " * (REACH - 2)) is None


def test_the_nearest_word_is_given() -> None:
    nearby = Nearby(INDEX, "tel, phone, x")
    word = nearby.last(INDEX.bit(PHONE), 13)
    assert word is not None
    assert word[0] == 5


def test_a_word_reaches_over_the_noun_behind_it() -> None:
    nearby = Nearby(INDEX, "card number is 5")
    card, phone = (nearby.last(INDEX.bit(words), 15) for words in (CARD, PHONE))
    assert card is not None
    assert phone is not None
    assert card[1] == phone[1] == 14


def test_a_word_behind_counts_within_the_sentence() -> None:
    bit = INDEX.bit(PHONE)
    assert Nearby(INDEX, "5 is my phone").next(bit, 1)
    assert not Nearby(INDEX, "5. my phone").next(bit, 1)
    assert not Nearby(INDEX, "5\nmy phone").next(bit, 1)
    assert not Nearby(INDEX, "5 " + "x " * 20 + "phone").next(bit, 1)


@pytest.mark.parametrize("lead", [0, 1, 60, 120, 125, 127, 128, 129, 250, 1000])
def test_words_are_met_wherever_they_stand(lead: int) -> None:
    text = "." * lead + " credit or card 1"
    assert named(CARD, text) == "card"
    assert named(CARD, text, len(text) - 7) == "credit*"


@pytest.mark.parametrize("words", [("1st",), ("*",), ("-x",), ("x*",)])
def test_a_word_that_cannot_be_looked_up_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="context word"):
        Index((words,))
