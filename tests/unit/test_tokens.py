"""How tokens are written, and which of their garbled forms are recognised."""

from __future__ import annotations

import pytest

from oguardai import tokens


def strict(text: str) -> list[str]:
    return [match[0] for match in tokens.find_tokens(text)]


def garbled(text: str) -> list[tuple[str, str]]:
    return [(text[start:end], token) for start, end, token in tokens.find_garbled(text)]


# --- writing ---


@pytest.mark.parametrize(
    ("counter", "expected"),
    [(1, "{{email:e_001}}"), (999, "{{email:e_999}}"), (1000, "{{email:e_1000}}"), (9_999_999, "{{email:e_9999999}}")],
)
def test_counters_have_at_least_three_digits(counter: int, expected: str) -> None:
    assert tokens.format_token("email", counter) == expected
    assert strict(expected) == [expected]


def test_a_tag_follows_a_dot() -> None:
    assert tokens.format_token("credit_card", 2, "k7q") == "{{credit_card:c_002.k7q}}"


def test_tags_are_drawn_from_their_alphabet_and_differ() -> None:
    drawn = {tokens.new_tag() for _ in range(300)}
    assert all(map(tokens.is_tag, drawn))
    assert len(drawn) > 250


@pytest.mark.parametrize("text", ["", "k7", "k7qq", "K7Q", "k1q", "k8q", "k7q\n", "k 7"])
def test_what_is_no_tag(text: str) -> None:
    assert not tokens.is_tag(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("email", True), ("a", True), ("us_ssn", True), ("a1", True), ("a" * 32, True), ("a" * 33, False), ("", False),
     ("Email", False), ("1a", False), ("_a", False), ("e-mail", False), ("größe", False), ("email\n", False)],
)  # fmt: skip
def test_type_names(text: str, expected: bool) -> None:
    assert tokens.is_type_name(text) is expected


# --- strict ---


@pytest.mark.parametrize(
    "text",
    [
        "{{email:f_001}}",
        "{{email:e_000}}",
        "{{email:e_01}}",
        "{{email:e_0001}}",
        "{{email:e_00000001}}",
        "{{email:e_10000000}}",
        "{{email:e001}}",
        "{{Email:e_001}}",
        "{{email:E_001}}",
        "{{ email:e_001 }}",
        "{{email: e_001}}",
        "{email:e_001}",
        "{{email:e_001}",
        "{{email:e_001.}}",
        "{{email:e_001.K7Q}}",
        "{{email:e_001.k1q}}",
        "{{email:e_001.k7qq}}",
        "{{email:e_\u0661\u0661\u0661}}",
        "{{" + "a" * 33 + ":a_001}}",
        "{{:e_001}}",
    ],
)
def test_what_is_not_written_exactly_is_no_token(text: str) -> None:
    assert strict(text) == []


def test_braces_around_a_token_stay_outside() -> None:
    assert strict("{{{email:e_001}}}") == ["{{email:e_001}}"]


def test_tokens_in_a_row_are_all_found() -> None:
    row = "{{email:e_001}}{{phone:p_001}}{{email:e_001.k7q}}"
    assert strict(row) == ["{{email:e_001}}", "{{phone:p_001}}", "{{email:e_001.k7q}}"]


# --- lenient ---

EMAIL = "{{email:e_001}}"
CARD = "{{credit_card:c_012}}"


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (EMAIL, EMAIL),
        ("{{ email:e_001 }}", EMAIL),
        ("{{email: e_001}}", EMAIL),
        ("{{email :e _ 001}}", EMAIL),
        ("{ {email:e_001} }", EMAIL),
        ("{{\u00a0email:e_001\u200b}}", EMAIL),
        ("{{\nemail:e_001\n}}", EMAIL),
        ("{{EMAIL:E_001}}", EMAIL),
        ("{{Email:e_001}}", EMAIL),
        ("{email:e_001}", EMAIL),
        ("{{email:e_001}", EMAIL),
        ("{email:e_001}}", EMAIL),
        ("[email:e_001]", EMAIL),
        ("[[email:e_001]]", EMAIL),
        ("[[email e 001]]", EMAIL),
        ("<email:e_001>", EMAIL),
        ("<<email:e_001>>", EMAIL),
        ("(email:e_001)", EMAIL),
        ("((email:e_001))", EMAIL),
        (r"\{\{email:e\_001\}\}", EMAIL),
        (r"\\{\\{email:e\\_001\\}\\}", EMAIL),
        (r"{{email:e\_001}}", EMAIL),
        (r"\[email:e\_001\]", EMAIL),
        ("&#123;&#123;email:e_001&#125;&#125;", EMAIL),
        ("&#x7b;&#x7B;email:e_001&#x7d;&#x7D;", EMAIL),
        ("&lcub;&lbrace;email:e_001&rcub;&rbrace;", EMAIL),
        ("&#123;&#123;email&#58;e&#95;001&#125;&#125;", EMAIL),
        ("&lt;email:e_001&gt;", EMAIL),
        ("\uff5b\uff5bemail:e_001\uff5d\uff5d", EMAIL),
        ("\uff5bemail\uff1ae_001\uff5d", EMAIL),
        ("\uff3bemail:e_001\uff3d", EMAIL),
        ("\uff08email\uff1ae_001\uff09", EMAIL),
        ("【email:e_001】", EMAIL),
        ("{{email-e-001}}", EMAIL),
        ("{{email e_001}}", EMAIL),
        ("{{email_e_001}}", EMAIL),
        ("{{email:e-001}}", EMAIL),
        ("{{email:e\u2011001}}", EMAIL),
        ("{{email:e 001}}", EMAIL),
        ("{{email:e001}}", EMAIL),
        ("{{email=e_001}}", EMAIL),
        ("{{credit_card:c_012}}", CARD),
        ("{{credit card:c_012}}", CARD),
        ("{{credit-card:c-012}}", CARD),
        (r"{{credit\_card:c\_012}}", CARD),
        ("{{credit_card_c_012}}", CARD),
        ("{{Credit Card: C_012}}", CARD),
        ("[credit_card:c_012]", CARD),
        ("{{email:e_001.k7q}}", "{{email:e_001.k7q}}"),
        ("{{email:e_001.K7Q}}", "{{email:e_001.k7q}}"),
        ("{{email:e_001 . k7q}}", "{{email:e_001.k7q}}"),
        (r"\{\{email:e\_001\.k7q\}\}", "{{email:e_001.k7q}}"),
        ("{{email:e_1000}}", "{{email:e_1000}}"),
    ],
)
def test_what_models_do_to_tokens_is_recognised_whole(text: str, token: str) -> None:
    assert garbled(f"before {text} after") == [(text, token)]


@pytest.mark.parametrize(
    "text",
    [
        "email:e_001",  # nothing says that it is a token
        "{{e_001}}",  # the type is gone
        "{{email:001}}",
        "{{email:f_001}}",  # letter and type disagree
        "{{email:e_1}}",  # digits are never added or taken away
        "{{email:e_01}}",
        "{{email:e_0001}}",
        "{{email:e_000}}",
        "{{email:e_00l}}",
        "{{email:e_0 01}}",
        "{{email}}",
        "{{kelvin:\u212a_001}}",  # the Kelvin sign is no k
        "[email:e_001}",  # two kinds of bracket
        "(Airbus A380)",  # prose in single brackets
        "[page p. 100]",
        "(part: p 100)",
        "{{email: e_001, e_002}}",
        "{{email:e_001.k7}}",
    ],
)
def test_an_id_is_never_guessed(text: str) -> None:
    assert garbled(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("`{{email:E_001}}`", "{{email:E_001}}"),
        ("**{email:e_001}**", "{email:e_001}"),
        ("({email:e_001})", "{email:e_001}"),
        ("{{{email:E_001}}}", "{{email:E_001}}"),
        ("[{email:e_001}](x)", "{email:e_001}"),
        ("<b>{email:e_001}</b>", "{email:e_001}"),
    ],
)
def test_what_stands_around_stays_outside(text: str, found: str) -> None:
    assert garbled(text) == [(found, EMAIL)]


# --- what is left between ---


def test_spans_cover_every_form() -> None:
    text = "a {{email:e_001}} b [phone:p_001] c {{x}} d"
    spans = tokens.token_like_spans(text)
    assert [text[low:high] for low, high in spans] == ["{{email:e_001}}", "[phone:p_001]"]


def test_a_token_in_another_leaves_nothing_behind() -> None:
    text = "{{a:a_{{email:e_001}}001}} {{[email:e_001]a:a_001}}"
    rest, position = [], 0
    for low, high in tokens.token_like_spans(text):
        rest.append(text[position:low])
        position = high
    assert not any(map(tokens.has_token_like, [*rest, text[position:]]))


# --- time ---

UNITS = [
    "{", "{{", "}", "[", "(", "<", "\\", "&", "&#123;", "\\{", "{ ", "{{email:", "{{email:e_",
    "{{email:e_001", "{{email:e_001.",
    "{{" + "a" * 40, "{{" + "a_" * 20, "{{" + "a____" * 8, "{{" + "a " * 20, "{{" + "a- _\\" * 8,
    "{{a" + "_" * 46 + "a",
    "{{" + "\\_" * 40, "{{a" + "\\\\_" * 20, "{{a_a_001", "{{ " * 4, "[a:a_001", "[[a a 001", "\uff5b",
    "{\u200b", "{{a" + "&#58;" * 8,
    " ", "a", "0",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_no_text_sends_a_scanner_back_far(unit: str) -> None:
    """A scanner that takes more than linear time does not come back from a megabyte of these."""
    text = (unit * (1_000_000 // len(unit) + 1))[:1_000_000]
    assert sum(1 for _ in tokens.find_tokens(text)) == 0
    assert sum(1 for _ in tokens.find_garbled(text)) == 0
