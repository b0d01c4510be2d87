"""The numbers of the Americas, of Australia and New Zealand: valid ones fit a layout and pass, invalid ones do not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from oguardai.detection.confidence import ALONE, CONTEXT
from oguardai.detection.context import Index
from oguardai.detection.detector import NONE, Code
from oguardai.detection.national import americas, oceania

CODES = (*americas.CODES, *oceania.CODES)
TYPES = (*americas.TYPES, *oceania.TYPES)
BY_NAME = {code.name: code for code in CODES}
THRESHOLD = 0.5


def shapes(code: Code) -> Iterator[re.Pattern[str]]:
    """Return a code's layouts as patterns: with each separator, and with none."""
    kinds = {"9": "[0-9]", "A": "[A-Za-z]", "X": "[0-9A-Za-z]"}
    for layout in code.layouts:
        for separator in ("", *code.separators) if "|" in layout else ("",):
            yield re.compile("".join(kinds.get(char, re.escape(char)) for char in layout.replace("|", separator)))


def fits(code: Code, text: str) -> bool:
    """Tell whether a text is written like a code, and valid."""
    if not any(shape.fullmatch(text) for shape in shapes(code)):
        return False
    return code.validate is None or code.validate(re.sub("[^0-9A-Za-z]", "", text).upper())


# From the labelled corpora, the documents that the types name, and the examples of python-stdnum.
VALID: dict[str, tuple[str, ...]] = {
    "us_ssn": ("078-05-1123", "308-63-0237", "899-01-0001"),
    "us_ssn_spaced": ("078 05 1123", "078.05.1123"),
    "us_ssn_plain": ("078051123", "308630237"),
    "us_itin": ("911-53-1234", "911-64-1234", "911-70-1234", "900 99 1234"),
    "us_itin_plain": ("911701234", "900901234"),
    "us_ein": ("91-1144442", "04-2103594"),
    "us_ein_plain": ("911144442", "042103594"),
    "us_npi": ("1234-567-893", "1234 567 893"),
    "us_npi_plain": ("1234567893", "1245319599"),
    "us_mbi": ("1EG4-TE5-MK73", "1EG4 TE5 MK72", "1eg4-te5-mk73"),
    "us_mbi_plain": ("1EG4TE5MK73", "9A04A04AA00"),
    "us_dea": ("GL0285191", "EU4488929"),
    "us_dea_business": ("A91234563", "F91234563"),
    "us_driver_license": (
        "H12234567", "LH329609T", "A56319335", "U62928788557186", "M943688896309", "D123-4567-8901",
        "E123-456-78-901-2", "S 123 456 789 012", "ABC-12-3456", "12ABC34567",
    ),
    "us_driver_license_washington": ("WDLABCD456DG", "WDL12AB34CDE"),
    "us_driver_license_digits": ("425700624", "50473044", "1234567901234", "12 345 678"),
    "us_passport": ("912803456", "A12803456"),
    "us_bank_routing": ("121000358", "101205681", "111000025"),
    "us_bank_routing_grouped": ("3222-7162-7", "1210-0035-8"),
    "us_bank_number": ("945456787654", "12345678", "12345678901234567"),
    "ca_sin": ("435 418 165", "347-677-452", "550090112", "258 933 688"),
    "ca_postcode": ("K1A 0B1", "h0h 0h0"),
    "ca_postcode_plain": ("K1A0B1", "M5V-3L9"),
    "ca_health_ontario": ("9876-543-217", "1234 567 897", "1234567897"),
    "ca_health_ontario_version": ("9876-543-217-ML", "1234567897XY", "1234567897-XY"),
    "ca_health_british_columbia": ("9698 658 215", "9123456780", "9000-000-018"),
    "ca_health_quebec": ("DOEJ 8551 1510", "TREM12042155"),
    "br_cpf": ("390.533.447-05", "558.566.263-54", "158839926-50"),
    "br_cpf_plain": ("39053344705", "55856626354", "15883992650"),
    "br_cnpj": ("16.727.230/0001-97", "16727230/0001-97"),
    "br_cnpj_letters": ("12.ABC.345/01DE-35", "12ABC345/01DE-35"),
    "br_cnpj_plain": ("16727230000197", "12ABC34501DE35"),
    "br_rg": ("12.345.678-X", "12.345.678-9", "MG-12.345.678"),
    "br_rg_plain": ("12345678X", "12345678", "MG12345678"),
    "mx_curp": ("BOXW310820HNERXN09", "HEGG560427MVZRRL04"),
    "mx_rfc_checked": ("MAB9307148T4", "GODE561231GR8", "GODE-561231-GR8"),
    "mx_rfc": ("VACE-460910-SX6", "GODE 561231 GR9"),
    "ar_cuit": ("20-05536168-2", "20-26756539-3"),
    "ar_cuit_plain": ("20055361682", "20267565393"),
    "ar_dni": ("20.123.456", "5.123.456"),
    "ar_dni_plain": ("20123456", "5123456"),
    "cl_rut": ("12.531.909-2", "76.086.428-5", "12.531.905-K"),
    "cl_rut_plain": ("12531909-2", "760864285", "12531905-k"),
    "co_nit": ("213.123.432-1", "800.197.268-4"),
    "co_nit_plain": ("213123432-1", "8001972684"),
    "pe_dni": ("10117410", "10117410-2", "10117410-G"),
    "pe_ruc": ("20512333797", "10054148289"),
    "ec_ci": ("171430710-3", "0926687856"),
    "au_tfn": ("123 456 782", "37 118 660", "37118660"),
    "au_medicare": ("2123 45670 1", "2428-77813-2", "2123 45670 1 2", "2123 45670 1/2"),
    "au_medicare_plain": ("2123456701", "24287781321"),
    "au_abn": ("83 914 571 673", "51 824 753 556"),
    "au_abn_plain": ("83914571673", "51824753556"),
    "au_acn": ("004 085 616", "005 499 981", "010499966"),
    "nz_ird": ("49-098-576", "49098576", "136-410-132"),
    "nz_nhi": ("WLD9413", "ZAC5361", "ABC1235"),
    "nz_nhi_letters": ("ZSC21TN", "ZVB97XQ", "zbn77vl"),
}  # fmt: skip

INVALID: dict[str, tuple[str, ...]] = {
    "us_ssn": ("000-45-6789", "987-45-6789", "666-45-6789", "123-45-0000", "123-00-4567", "078-05-1120", "693-09.4444"),
    "us_ssn_spaced": ("078 00 1123", "666.05.1123", "078 05-1123"),
    "us_ssn_plain": ("666000000", "0780511201", "078051120"),
    "us_itin": ("911-89-1234", "911-93-1234", "911-66-1234", "811-70-1234"),
    "us_itin_plain": ("911891234", "811701234"),
    "us_ein": ("07-1144442", "00-1234567", "911-14-4442"),
    "us_ein_plain": ("071144442", "491234567"),
    "us_npi": ("1234-567-894", "3234-567-893", "1234-567 893"),
    "us_npi_plain": ("0234567893", "12345678934", "123456789", "1234567890"),
    "us_mbi": ("1EG4-TE5-OK73", "1BG4-TE5-MK73", "1EG4-ZE5-MK73", "AEG4-TE5-MK73", "12G4-TE5-MK73", "0EG4-TE5-MK73"),
    "us_mbi_plain": ("1SG4TE5MK73", "1EG4TE5MK7A"),
    "us_dea": ("BG8207031", "GL0285192", "IL0285191"),
    "us_dea_business": ("A91234564", "A81234563"),
    "us_driver_license": ("A1234", "ABCD12345", "A123456789012345"),
    "us_driver_license_washington": ("ABCABCD456DG", "WDL123456789"),
    "us_driver_license_digits": ("123456", "12345678901234"),
    "us_passport": ("91280345", "AB2803456"),
    "us_bank_routing": ("421042111", "112000025", "000000000"),
    "us_bank_routing_grouped": ("1234-0000-0", "3222-7162-8"),
    "us_bank_number": ("1234567", "123456789012345678"),
    "ca_sin": ("046 454 286", "812 345 678", "111 111 111", "046 454-286", "13069254", "435 418 166"),
    "ca_postcode": ("D1A 0B1", "W1A 0B1", "K1A 0O1"),
    "ca_postcode_plain": ("Z1A0B1", "K1U0B1"),
    "ca_health_ontario": ("9876-543-218", "0876-543-217"),
    "ca_health_ontario_version": ("9876-543-218-ML", "0123456789ML"),
    "ca_health_british_columbia": ("9698 648 215", "5736504210"),
    "ca_health_quebec": ("DOEJ 8533 1510", "DOEJ 8500 1510", "DOEJ 8552 3110"),
    "br_cpf": ("231.002.999-00", "111.111.111-11", "390.533.447-15"),
    "br_cpf_plain": ("55856626355", "55856626364", "00000000000"),
    "br_cnpj": ("16.727.230/0001-98", "16.727.230/0001-87", "00.000.000/0000-00"),
    "br_cnpj_letters": ("12.ABC.345/01DE-36", "12.ABC.345/01DE-3A", "12.ABD.345/01DE-35"),
    "br_cnpj_plain": ("16727230000198", "20240115123456", "12ABC34501DE36"),
    "br_rg": ("12.345.678-A", "XX-12.345.678", "11.111.111"),
    "br_rg_plain": ("12345678A", "XX12345678", "11111111"),
    "mx_curp": ("BOXW310820HNERXN08", "BOXW311320HNERXN09", "BOXW310820XNERXN09", "BOXW310820HQQRXN09"),
    "mx_rfc_checked": ("VACE460910SX6", "GODE561231GR9", "MAB9313148T4"),
    "mx_rfc": ("GODE561331GR8", "GODE560231GR8"),
    "ar_cuit": ("20-26756539-2", "99-05536168-2"),
    "ar_cuit_plain": ("20267565392", "99055361682"),
    "ar_dni": ("0.123.456", "11.111.111"),
    "ar_dni_plain": ("0123456", "11111111"),
    "cl_rut": ("12.531.909-3", "12.531.909-K", "76.086.428-A"),
    "cl_rut_plain": ("12531909-3", "76086428K"),
    "co_nit": ("213.123.432-5", "800.197.268-5"),
    "co_nit_plain": ("2131234325", "800197268-5"),
    "pe_dni": ("10117410-3", "10117410-K", "11111111"),
    "pe_ruc": ("20512333798", "99512333797"),
    "ec_ci": ("1714307104", "9914307103", "1794307103"),
    "au_tfn": ("999 999 999", "123 456 783", "37118661"),
    "au_medicare": ("2123 25870 1", "7123 45670 1", "2123 45670 0", "2123-45670 1"),
    "au_medicare_plain": ("2123258701", "2123456700", "24287781320"),
    "au_abn": ("52 824 753 556", "99 999 999 999"),
    "au_abn_plain": ("52824753556", "00000000560"),
    "au_acn": ("999 999 999", "004 085 617"),
    "nz_ird": ("49-098-577", "136-410-133", "160-000-000"),
    "nz_nhi": ("ZZZ0044", "WLD9414", "WID9413"),
    "nz_nhi_letters": ("ZZZ00AA", "ZSC21TM", "ZSC21IN"),
}


def _rows(table: dict[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    return [(name, value) for name, values in table.items() for value in values]


@pytest.mark.parametrize(("name", "value"), _rows(VALID))
def test_valid_number_is_taken(name: str, value: str) -> None:
    assert fits(BY_NAME[name], value)


@pytest.mark.parametrize(("name", "value"), _rows(INVALID))
def test_invalid_number_is_refused(name: str, value: str) -> None:
    assert not fits(BY_NAME[name], value)


def test_every_code_has_two_valid_and_two_invalid_numbers() -> None:
    assert set(VALID) == set(INVALID) == set(BY_NAME)
    assert len(BY_NAME) == len(CODES)
    assert all(len(values) >= 2 for table in (VALID, INVALID) for values in table.values())


@pytest.mark.parametrize("name", BY_NAME)
def test_sample_is_written_like_its_code_and_valid(name: str) -> None:
    assert fits(BY_NAME[name], BY_NAME[name].sample)


@pytest.mark.parametrize("name", BY_NAME)
@given(compact=st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=24))
def test_no_text_makes_a_check_fail(name: str, compact: str) -> None:
    validate = BY_NAME[name].validate
    assert validate is None or validate(compact) in (True, False)


@pytest.mark.parametrize("name", BY_NAME)
@given(data=st.data())
def test_no_text_of_a_layout_makes_a_check_fail(name: str, data: st.DataObject) -> None:
    code = BY_NAME[name]
    layout = data.draw(st.sampled_from(code.layouts))
    letters, digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
    kinds = {"9": digits, "A": letters, "X": digits + letters}
    compact = "".join(data.draw(st.sampled_from(kinds[char])) for char in layout if char in kinds)
    assert code.validate is None or code.validate(compact) in (True, False)


def test_every_type_has_a_code_and_a_source() -> None:
    assert {code.type for code in CODES} == {kind.name for kind in TYPES}
    assert len({kind.name for kind in TYPES}) == len(TYPES)
    assert all(kind.source and kind.locales and kind.level in (1, 2, 3) for kind in TYPES)


@pytest.mark.parametrize("kind", [kind.name for kind in TYPES if kind.checksum])
def test_type_with_check_digit_has_it_in_every_code(kind: str) -> None:
    assert all(code.checksum > NONE for code in CODES if code.type == kind)


@pytest.mark.parametrize("name", BY_NAME)
def test_word_that_names_a_number_suffices(name: str) -> None:
    code = BY_NAME[name]
    assert Index((code.context,)).bit(code.context)
    assert code.confidence + code.checksum + CONTEXT >= THRESHOLD


@pytest.mark.parametrize("name", [code.name for code in CODES if code.checksum > NONE])
def test_number_with_check_digit_suffices_in_a_form_field(name: str) -> None:
    code = BY_NAME[name]
    assert code.confidence + code.checksum + ALONE >= THRESHOLD


# Two check digits, and a tax payer's number that is mostly written without separators.
_BARE = {"br_cpf_plain"}


@pytest.mark.parametrize("name", sorted(set(BY_NAME) - _BARE))
def test_digits_in_one_piece_need_a_word(name: str) -> None:
    code = BY_NAME[name]
    if any(shape.fullmatch("1" * size) for shape in shapes(code) for size in range(7, 18)):
        assert code.confidence + code.checksum < THRESHOLD


@given(st.text("0123456789", min_size=8, max_size=8))
def test_check_digit_of_a_social_insurance_number_is_the_only_one_taken(digits: str) -> None:
    number = "1" + digits[1:]
    right = luhn.calc_check_digit(number)
    assert [last for last in "0123456789" if americas.is_sin(number + last)] == [right]


@given(st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=12, max_size=12).filter(lambda t: len(set(t)) > 1))
def test_one_pair_of_check_digits_fits_a_firm_with_letters(root: str) -> None:
    values = [ord(char) - 48 for char in root]
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = sum(map(int.__mul__, weights, values)) % 11
        values.append(0 if rest < 2 else 11 - rest)
    pairs = [f"{pair:02d}" for pair in range(100) if americas.is_cnpj(f"{root}{pair:02d}")]
    assert pairs == [f"{values[12]}{values[13]}"]
