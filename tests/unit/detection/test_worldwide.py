"""Vehicles, handsets, subscribers, bank codes and crypto addresses."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oguardai.detection import worldwide
from oguardai.detection.detector import NONE, STRONG, Code, Digit, Near, Prefix

BY_NAME = {code.name: code for code in worldwide.CODES}
ROWS = {row.name: row for row in worldwide.DETECTORS}
KINDS = {"9": "[0-9]", "A": "[A-Za-z]", "X": "[0-9A-Za-z]"}


def fits(code: Code, text: str) -> bool:
    """Tell whether a text is written like a code, and valid."""
    for layout in code.layouts:
        for separator in ("", *code.separators):
            shape = "".join(KINDS.get(char, re.escape(char)) for char in layout.replace("|", separator))
            if re.fullmatch(shape, text):
                return code.validate is None or code.validate(re.sub("[^0-9A-Za-z]", "", text).upper())
    return False


def accepts(name: str, text: str) -> bool:
    """Tell whether a row's pattern takes a whole text, and the text is valid."""
    row = ROWS[name]
    return re.fullmatch(row.pattern, text, re.ASCII) is not None and (row.validate is None or row.validate(text))


VALID: dict[str, tuple[str, ...]] = {
    "vin_checked": ("1M8GDM9AXKP042788", "1HGCM82633A004352", "5GZCZ43D13S812715", "1m8gdm9axkp042788"),
    "vin": ("WVWZZZ1JZ3W386752", "1M8GDM9AXKP042789"),
    "imei": ("490154203237518", "49-015420-323751-8", "35 209900 176148 1"),
    "imsi": ("310150123456789", "429011234567890", "901700000000001"),
}
INVALID: dict[str, tuple[str, ...]] = {
    "vin_checked": ("WVWZZZ1JZ3W386752", "1M8GDM9AXKP042789", "11111111111111111", "1M8GDM9A1KP042788"),
    "vin": ("1HGCM82633I123456", "1HGCM82633Q123456", "WVWZZZ1JZ3W38675A", "11111111111111111", "WVWZZZ1JZ3W38675"),
    "imei": ("490154203237519", "49015420323751", "000000000000000"),
    "imsi": ("110150123456789", "900150123456789", "3101501234567890"),
}

# Vectors of BIP 173, BIP 350, ERC-55 and the projects' published addresses.
TAKEN: dict[str, tuple[str, ...]] = {
    "swift_bic": ("DEUTDEFF", "DEUTDEFF500", "NEDSZAJJXXX", "ZCXIFR6P", "XKBAXKPR"),
    "bitcoin_address": (
        "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    ),
    "segwit_address": (
        "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "bc1pw508d6qejxtdg4y5r3zarvary0c5xw7kw508d6qejxtdg4y5r3zarvary0c5xw7kt5nd6y",
        "BC1SW50QGDZ25J",
        "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0",
        "ltc1qg42tkwuuxefutzxezdkdel39gfstuap288mfea",
    ),
    "ethereum_address": (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ),
    "ethereum_address_plain": (
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
    ),
    "monero_address": (
        "888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3H",
    ),
}
REFUSED: dict[str, tuple[str, ...]] = {
    "swift_bic": ("DEUTQQFF", "DEUTDEFF5", "deutdeff", "DEUT1EFF", "DEUTDEFF5000"),
    "bitcoin_address": (
        "1NEDqZPvTWRaoho48qXuLLsrYomMXPABfX",
        "16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ2",
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNL0",
    ),
    "segwit_address": (
        # Bech32 where Bech32m is due, and the other way round.
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        # A changed letter, mixed case, a program that is too short for its version, a padding that is not zero.
        "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp",
        "bc1Qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P",
        "bc1zw508d6qejxtdg4y5r3zarvaryvqyzf3du",
        "bc1gmk9yu",
        "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4",
    ),
    "ethereum_address": (
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9adb",
        "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xde709f2102306220921060314715629080e2fb77",
    ),
    "ethereum_address_plain": (
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0x0000000000000000000000000000000000000000",
    ),
    "monero_address": (
        "888tNkZrPN6JsEgekjMnABU4TBzc2Dt29EPAvkRxbANsAnjyPbb3iQ1YBRk1UXcdRsiKc9dhwMVgN5S9cQUiyoogDavup3J",
        "4" + "z" * 94,
    ),
}


def _rows(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), _rows(VALID))
def test_valid_number_is_taken(name: str, value: str) -> None:
    assert fits(BY_NAME[name], value)


@pytest.mark.parametrize(("name", "value"), _rows(INVALID))
def test_invalid_number_is_refused(name: str, value: str) -> None:
    assert not fits(BY_NAME[name], value)


@pytest.mark.parametrize(("name", "value"), _rows(TAKEN))
def test_valid_address_is_taken(name: str, value: str) -> None:
    assert accepts(name, value)


@pytest.mark.parametrize(("name", "value"), _rows(REFUSED))
def test_invalid_address_is_refused(name: str, value: str) -> None:
    assert not accepts(name, value)


def test_every_code_and_row_has_cases() -> None:
    assert set(VALID) == set(INVALID) == set(BY_NAME)
    assert set(TAKEN) == set(REFUSED) == set(ROWS)


@pytest.mark.parametrize("name", BY_NAME)
def test_sample_is_written_like_its_code_and_valid(name: str) -> None:
    assert fits(BY_NAME[name], BY_NAME[name].sample)


@pytest.mark.parametrize("name", ROWS)
def test_sample_of_a_row_is_valid_and_where_its_trigger_looks(name: str) -> None:
    row = ROWS[name]
    assert accepts(name, row.sample)
    if isinstance(row.trigger, Prefix):
        assert row.sample.startswith(row.trigger.words)
    elif isinstance(row.trigger, Digit):
        assert [found.start() for found in re.finditer(row.trigger.pattern, row.sample)] == [0]
        assert not re.search(row.trigger.pattern, "a" + row.sample[:-1])
    else:
        assert isinstance(row.trigger, Near)
        assert row.needs_context


@pytest.mark.parametrize("name", BY_NAME)
@given(compact=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=24))
def test_no_text_makes_a_check_of_a_number_fail(name: str, compact: str) -> None:
    validate = BY_NAME[name].validate
    assert validate is not None
    assert validate(compact) in (True, False)


@pytest.mark.parametrize("name", BY_NAME)
@given(data=st.data())
def test_no_text_of_a_layout_makes_a_check_fail(name: str, data: st.DataObject) -> None:
    code = BY_NAME[name]
    letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    kinds = {"9": digits, "X": digits + letters}
    layout = data.draw(st.sampled_from(code.layouts))
    compact = "".join(data.draw(st.sampled_from(kinds[char])) for char in layout if char in kinds)
    assert code.validate is not None
    assert code.validate(compact) in (True, False)


@pytest.mark.parametrize("name", ROWS)
@given(data=st.data())
def test_no_match_makes_a_check_of_a_row_fail(name: str, data: st.DataObject) -> None:
    row = ROWS[name]
    text = data.draw(st.from_regex(re.compile(row.pattern, re.ASCII), fullmatch=True))
    assert row.validate is not None
    assert row.validate(text) in (True, False)


def test_every_type_is_found_and_has_a_source() -> None:
    found = {code.type for code in worldwide.CODES} | {row.type for row in worldwide.DETECTORS}
    assert found == {kind.name for kind in worldwide.TYPES}
    assert all(kind.source and kind.level in (1, 2, 3) for kind in worldwide.TYPES)


def test_number_of_plain_digits_needs_a_word() -> None:
    for name in ("imei", "imsi", "vin"):
        assert BY_NAME[name].confidence + BY_NAME[name].checksum < 0.5
    assert BY_NAME["vin"].checksum == NONE
    assert NONE < BY_NAME["vin_checked"].checksum < STRONG


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
    ],
)
def test_hash_of_ethereum_is_as_published(message: bytes, digest: str) -> None:
    assert worldwide.keccak_256(message).hex() == digest


@given(st.binary(max_size=300))
def test_hash_is_the_standard_one_but_for_its_suffix(message: bytes) -> None:
    assert worldwide.keccak_256(message, 0x06) == hashlib.sha3_256(message).digest()
