"""What of a value each restore mode shows."""

from __future__ import annotations

import pytest

from oguardai.restore import RestoreMode, restore


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("email", "julia@example.com", "j***@example.com"),
        ("email", "j@example.com", "j***@example.com"),
        ("email", '"a@b"@example.com', '"***@example.com'),
        ("email", "no address", "****"),
        ("credit_card", "4111-1111-1111-1234", "****1234"),
        ("iban", "DE89 3704 0044 0532 0130 00", "****3000"),
        ("phone", "+49 (30) 901-820", "****1820"),
        ("phone", "110", "****"),
        ("us_ssn", "078-05-1120", "****1120"),
        ("api_key", "sk-abcdefghijklmnop", "****"),
        ("private_key", "-----BEGIN PRIVATE KEY-----", "****"),
        ("jwt", "eyJhbGciOi.eyJzdWIi.c2ln", "****"),
        ("url", "https://example.com/x", "h***x"),
        ("url", "", "****"),
        ("passport", "C01X00T47", "C***7"),
        ("person", "Jo Li", "****"),
        ("person", "Ada", "****"),
    ],
)
def test_partial_shows_enough_to_recognise_and_no_more(type_name: str, value: str, expected: str) -> None:
    assert restore(type_name, value, RestoreMode.PARTIAL) == expected


@pytest.mark.parametrize("value", ["+49 30 901820", "+49 30 9018201234"])
def test_partial_hides_how_much_it_hides(value: str) -> None:
    assert len(restore("phone", value, RestoreMode.PARTIAL)) == 8


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Julia-Ann O'Neil", "*****-*** *'****"),
        ("+49 30", "+** **"),
        ("größe 😀 漢字", "***** * **"),
        ("e\u0301", "**"),
        ("a\r\nb\u2028c\td", "*  * * *"),
        ("x" * 32, "*" * 32),
        ("x" * 33, "*" * 32 + "…"),
        ("x" * 100_000, "*" * 32 + "…"),
    ],
)
def test_masked_keeps_the_outline_within_bounds(value: str, expected: str) -> None:
    assert restore("person", value, RestoreMode.MASKED) == expected


@pytest.mark.parametrize(
    ("type_name", "value", "expected"),
    [
        ("phone", "+4930901820", "+49 30 901820"),
        ("phone", "+1 650-253-0000", "+1 650-253-0000"),
        ("phone", "030 901820", "030 901820"),
        ("phone", "call me", "call me"),
        ("phone", "+" + "9" * 300, "+" + "9" * 300),
        ("iban", "de89370400440532013000", "DE89 3704 0044 0532 0130 00"),
        ("iban", "DE89 3704 0044 0532 0130 00", "DE89 3704 0044 0532 0130 00"),
        ("iban", "not/an/iban", "not/an/iban"),
        ("credit_card", "4111111111111111", "4111 1111 1111 1111"),
        ("credit_card", "378282246310005", "3782 822463 10005"),
        ("credit_card", "6304-0000-0000-0000-000", "6304 0000 0000 0000 000"),
        ("credit_card", "4111x", "4111x"),
        ("email", "julia@example.com", "julia@example.com"),
    ],
)
def test_formatted_writes_as_people_do_and_else_in_full(type_name: str, value: str, expected: str) -> None:
    assert restore(type_name, value, RestoreMode.FORMATTED) == expected


def test_abstract_names_the_type() -> None:
    assert restore("credit_card", "4111", RestoreMode.ABSTRACT) == "[credit_card]"


@pytest.mark.parametrize("mode", [mode for mode in RestoreMode if mode is not RestoreMode.NONE])
def test_text_that_looked_like_a_token_is_whole_in_every_mode(mode: RestoreMode) -> None:
    assert restore("literal", "{{email:e_001}}", mode) == "{{email:e_001}}"


@pytest.mark.parametrize("type_name", ["api_key", "jwt", "private_key"])
def test_masked_shows_nothing_of_a_secret(type_name: str) -> None:
    assert restore(type_name, "ab/cd+ef_gh==", RestoreMode.MASKED) == restore(type_name, "x", RestoreMode.MASKED)
