from __future__ import annotations

import phonenumbers
import pytest
from stdnum.iso7064 import mod_97_10

from oguardai.detection import iban, phones, validators

from .samples import JWT, NOT_JWT, OPEN_PEM, PEM


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_example_number_of_every_region_is_possible(region: str) -> None:
    number = phonenumbers.example_number(region)
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    assert phones.is_possible(digits)
    assert not phones.is_possible(digits + "0" * (25 - len(digits)))


def test_country_code_that_does_not_exist_is_refused() -> None:
    assert not phones.is_possible("2101234567")
    assert not phones.is_possible("9991234567")


@pytest.mark.parametrize("region", phones.TRUNK_REGIONS)
def test_national_example_fits_the_plan_of_its_region(region: str) -> None:
    number = phonenumbers.example_number(region)
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    assert phones.is_national("".join(filter(str.isdigit, national)), region)


@pytest.mark.parametrize(("digits", "valid"), [("4111111111111111", True), ("4111111111111112", False), ("0", True)])
def test_luhn(digits: str, valid: bool) -> None:
    assert validators.is_luhn(digits) is valid


@pytest.mark.parametrize("prefix", ["100000", "123456", "700000", "999999", "000000"])
def test_prefix_of_no_issuer_is_refused(prefix: str) -> None:
    numbers = [f"{prefix}{tail:010d}" for tail in range(20)]
    assert any(map(validators.is_luhn, numbers))
    assert not any(map(validators.is_card_number, numbers))


def _with_check_digits(country: str, bban: str) -> str:
    value = int("".join(str(int(c, 36)) for c in f"{bban}{country}00"))
    return f"{country}{98 - value % 97:02d}{bban}"


@pytest.mark.parametrize(("country", "shape"), sorted(iban._SHAPES.items()))
def test_iban_of_every_country_agrees_with_an_independent_check(country: str, shape: str) -> None:
    value = _with_check_digits(country, "".join({"n": "1", "a": "B", "c": "7"}[kind] for kind in shape[2:]))
    assert iban.is_iban(value)
    assert mod_97_10.is_valid(value[4:] + value[:4])
    assert not iban.is_iban(value[:-1])
    assert not iban.is_iban(value[:2] + f"{(int(value[2:4]) + 1) % 100:02d}" + value[4:])


def test_jwt_needs_a_header_with_algorithm() -> None:
    assert validators.is_jwt(JWT)
    assert not validators.is_jwt(NOT_JWT)
    assert not validators.is_jwt("eyJ" + "A" * 5000 + ".x.y")
    assert not validators.is_jwt("eyJ!.x.y")


def test_unclosed_private_key_ends_before_the_next_block() -> None:
    text = f"{OPEN_PEM}\n{PEM}"
    assert validators.trim_pem(text, 0, OPEN_PEM.index("\n")) == (0, len(OPEN_PEM))


@pytest.mark.parametrize("value", ["a..b@example.com", "x" * 65 + "@example.com", "a.@example.com", "icon@2x.png"])
def test_address_that_no_server_takes_is_refused(value: str) -> None:
    assert not validators.is_email(value)
