"""The scanners: what holds for every text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai import tokens

TYPES = st.from_regex(r"[a-z][a-z0-9_]{0,31}", fullmatch=True)
COUNTERS = st.integers(1, tokens.MAX_COUNTER)
TAGS = st.none() | st.text("abcdefghijklmnopqrstuvwxyz234567", min_size=3, max_size=3)
NOISE = st.text("{}[]()<>\\&;#123\uff5b\uff5dae:_-0.\u200b ", max_size=60)


@settings(deadline=None)
@given(TYPES, COUNTERS, TAGS, st.text(max_size=20), st.text(max_size=20))
def test_a_token_is_found_whatever_surrounds_it(
    kind: str, counter: int, tag: str | None, before: str, after: str
) -> None:
    token = tokens.format_token(kind, counter, tag)
    assert token in [match[0] for match in tokens.find_tokens(before + token + after)]


@settings(deadline=None)
@given(TYPES, COUNTERS, TAGS)
def test_the_lenient_scanner_finds_every_well_formed_token(kind: str, counter: int, tag: str | None) -> None:
    token = tokens.format_token(kind, counter, tag)
    (found,) = tokens.find_garbled(token)
    assert found[:2] == (0, len(token))


@settings(deadline=None)
@given(st.sampled_from(["email", "credit_card", "us_ssn", "literal"]), COUNTERS, TAGS)
def test_a_well_formed_token_of_a_usual_type_is_read_as_itself(kind: str, counter: int, tag: str | None) -> None:
    token = tokens.format_token(kind, counter, tag)
    (found,) = tokens.find_garbled(token)
    assert found[2] == token


@settings(max_examples=2000, deadline=None)
@given(NOISE, st.lists(TYPES.map(lambda kind: tokens.format_token(kind, 1)), max_size=3), NOISE)
def test_nothing_is_left_between_the_spans(before: str, given_tokens: list[str], after: str) -> None:
    text = before + "".join(given_tokens) + after
    position = 0
    for low, high in [*tokens.token_like_spans(text), (len(text), len(text))]:
        assert low >= position
        assert list(tokens.find_garbled(text[position:low])) == []
        assert list(tokens.find_tokens(text[position:low])) == []
        position = high


@settings(max_examples=2000, deadline=None)
@given(NOISE, st.data())
def test_a_match_in_a_piece_is_a_match_in_the_whole(text: str, data: st.DataObject) -> None:
    """On this rests that a text without token-like parts needs no look at its pieces."""
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    if tokens.has_token_like(text[start:end]):
        assert tokens.has_token_like(text)


GARBLED = st.tuples(
    st.sampled_from(["{", "{{", "[", "\\{\\{", "\uff5b", "(", "&#123;"]),
    st.sampled_from(["email", "EMAIL", "credit card", "credit\\_card"]),
    st.sampled_from([":", " : ", "\uff1a", "-", "_"]),
    st.sampled_from(["e", "E", "c", "C"]),
    st.sampled_from(["_", "\\_", "-", " ", ""]),
    st.sampled_from(["001", "1", "010", "0001", "1000"]),
    st.sampled_from(["", ".k7q", ".K7Q"]),
    st.sampled_from(["}", "}}", "]", "\\}\\}", "\uff5d", ")", "&#125;"]),
)


@settings(max_examples=2000, deadline=None)
@given(GARBLED)
def test_repair_keeps_letter_digits_and_words(parts: tuple[str, ...]) -> None:
    _, kind, _, letter, _, digits, tag, _ = parts
    for _, _, token in tokens.find_garbled("".join(parts)):
        words = kind.lower().replace("\\", "").replace(" ", "_")
        assert token == f"{{{{{words}:{letter.lower()}_{digits}{tag.lower()}}}}}"
