"""The numbers of Europe: valid ones fit a layout and pass, invalid ones do not, and what only looks so is let alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oguardai.detection.confidence import ALONE, CONTEXT
from oguardai.detection.detector import NONE, Code
from oguardai.detection.engine import detect
from oguardai.detection.national import europe

BY_NAME = {code.name: code for code in europe.CODES}
TYPES = [kind.name for kind in europe.TYPES]
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


# From the documents that the types name, the labelled corpora, the examples of python-stdnum, and random numbers that
# python-stdnum or a second reading of the formula found valid.
VALID: dict[str, tuple[str, ...]] = {
    "uk_nhs": ("943-476-5870", "9434765919", "650 680 0496"),
    "uk_nhs_spaced": ("943 476 5919", "538 299 5729"),
    "uk_nino": ("AB123456C", "hh 01 02 03 d", "JT 123456 A", "OA-12-34-56-B"),
    "uk_utr": ("1955839661", "35209 79134"),
    "uk_driving_licence": ("MORGA657054SM9IJ", "FO999512018AA1AB", "O9999802294A99XY", "JONES710153J99EF"),
    "uk_passport": ("925665416", "107185703"),
    "uk_passport_new": ("AB1234567", "zq7654321"),
    "uk_vehicle": ("AB51 ABC", "LN14HGT", "LN14-HGT", "BD76 SMR"),
    "uk_vehicle_old": ("M456DEF", "P12 ABC", "ABC 1D", "EYY 123N"),
    "uk_postcode": ("SW1A 1AA", "M60 1NW", "CR2 6XH", "W1A 0AX"),
    "uk_postcode_glued": ("DN551PT", "ec1a1bb", "GIR0AA"),
    "ie_pps": ("6433435F", "6433435FT", "6433435OA", "6433435IH", "6433435 F"),
    "de_tax_id": ("36574261809", "72 689 542 022", "78943168526"),
    "de_tax_number": ("181/815/08155", "21/815/08150", "133/8150/8159"),
    "de_tax_number_plain": ("2893081508152", "9181081508155", "5133081508159", "93815/08152", "75 815 08152",
                            "013 815 08153", "2181508150", "18181508155"),
    "de_social_security": ("15070649C103", "65 130699 F 687", "65 020891 S689"),
    "de_id_card": ("L01X00T471", "T1919RM8H1", "VTYRXY84L9"),
    "de_id_card_digits": ("T22000129", "t22000129", "C01234565", "L01X00T44"),
    "de_id_card_serial": ("L01X00T47", "T22000129"),
    "de_passport": ("C01X00T41", "F12345671", "HRRMPLNY0", "CC1N7RK55", "C01X00T478"),
    "de_passport_serial": ("C01X00T47", "F12345678"),
    "de_health_insurance": ("M123456785", "a123456780", "S063546966"),
    "de_vat": ("DE136695976", "DE 129 273 398", "DE.136.695.976", "DE 679880608"),
    "de_driving_licence": ("BO12345678A", "HH98765432C", "B072RRE2I55"),
    "de_driving_licence_any": ("J010000SD51", "n0501234AB2"),
    "de_vehicle": ("B-AB 1234", "HH-AB-1234", "M-XY999", "KA-EF 12H", "WOB-E 1"),
    "de_vehicle_spaced": ("B AB 1234", "KA EF 12H", "m xy 999"),
    "de_postcode": ("80331", "01067"),
    "de_bsnr": ("021234568", "351234567"),
    "de_lanr": ("987654401", "140519043", "236190677"),
    "de_company_register": ("HRB 123456", "HRA 12", "HRB4711"),
    "at_svnr": ("1237 010180", "4061242626"),
    "ch_ahv": ("756.9217.0769.85", "7569217076985", "756 0765 9852 62"),
    "ch_uid": ("CHE-107.787.577", "CHE100155212"),
    "fr_nir": ("2 95 10 99 126 111 93", "295109912611193", "253072B07300470"),
    "fr_nir_other": ("253072B07300470", "253072A07300443", "4 96 87 30 594 603 50"),
    "fr_siret": ("732 829 320 00074", "77619118158646"),
    "fr_siren": ("404 833 048", "849591136"),
    "fr_passport": ("12AB34567", "09XY00001"),
    "be_nrn": ("85.07.30-033.28", "17073003384", "98472899765", "01490700185"),
    "nl_bsn": ("111222333", "9415.07.117", "166 317 585"),
    "es_nif": ("12345678Z", "37341066-Z", "96315257C", "96.315.257-C"),
    "es_nif_short": ("54362315K", "55555555-K", "1111111G", "12345678z"),
    "es_cif": ("S4724221I", "W-9785913-F", "R4899195D", "M-1234567-L"),
    "es_cif_digits": ("J99216582", "B64717838", "E-39465711"),
    "es_nie": ("X2482300W", "z8078221m", "X-5253868-R", "X0544691-M"),
    "es_passport": ("AAA123456", "xyz987654"),
    "pt_nif": ("501 964 843", "403835526"),
    "pt_cc": ("00000000 0 ZZ4", "983380435QI2", "52686459 3WS4"),
    "it_fiscal_code": ("RCCMNL83S18D969H", "KRAFNM02L05L409O", "DVQIOX41S28A677C"),
    "it_vat": ("00743110157", "16030751214", "01333550323"),
    "it_vat_prefixed": ("IT00743110157", "IT 16030751214"),
    "it_identity_card": ("CA12345BC", "AA1234567", "1234567AB"),
    "it_driving_licence": ("AA0123456B", "U1A11A111A"),
    "it_passport": ("YA1234567", "aa0000001"),
    "pl_pesel": ("44051401359", "38232420431"),
    "pl_nip": ("856-734-62-15", "8567346215", "369-64-07-985"),
    "pl_regon": ("192598184", "12345678512347"),
    "pl_id_card": ("ABS123456", "ABN 677125", "AHF367259"),
    "cz_rc": ("710319/2745", "060721/6566"),
    "cz_rc_old": ("530101/123", "400908/568"),
    "cz_rc_plain": ("7103192745", "5074056416"),
    "hu_tax_id": ("8071592153", "8608163586", "8337055979"),
    "ro_cnp": ("1630615123457", "3300920351811"),
    "bg_egn": ("7523169263", "8032056031"),
    "hr_oib": ("33392005961", "29379074196"),
    "si_emso": ("0101006500006", "0412069904285"),
    "gr_amka": ("01013099997", "23025517204"),
    "gr_afm": ("094259216", "589399548"),
    "tr_id": ("17291716060", "10000000146", "96131180100"),
    "tr_plate": ("07 AB 123", "34 ABC 123", "81 Z 9999"),
    "tr_plate_glued": ("34ABC123", "06A1234"),
    "se_personnummer": ("871220-2384", "880320-0016", "19871220-2384", "610511-5361"),
    "se_personnummer_plain": ("198712202384", "9201232387", "191005059801", "20110925-2385"),
    "se_orgnr": ("556703-7485", "558192-1664"),
    "se_orgnr_plain": ("212000-0142", "5567037485", "2059071163"),
    "fi_hetu": ("131052-308T", "121053-533N", "010594Y9032", "030594W903B", "010516B903X"),
    "fi_hetu_digits": ("010114-0024", "040211-0377", "130629-0134"),
    "dk_cpr": ("211062-5629", "010190-1234"),
    "dk_cpr_checked": ("211062-5629", "110274-6151"),
    "dk_cpr_plain": ("2110625629", "0203444168"),
    "dk_cpr_unchecked": ("0101901234", "2110625620"),
    "no_fnr": ("15108695088", "210949 98090"),
    "ee_isikukood": ("36805280109", "46302204765"),
    "lt_asmens": ("33309240064", "97909871035"),
    "lv_pk": ("161175-19997", "328673-00679", "324693-13087"),
}  # fmt: skip

INVALID: dict[str, tuple[str, ...]] = {
    "uk_nhs": ("943-476-5871", "943 476 5918", "943 476-5919"),
    "uk_nhs_spaced": ("943 476 5918", "9434765919"),
    "uk_nino": ("AA123456H", "NT998877A", "ZZ 618785 T", "QQ123456C", "AO123456A"),
    "uk_utr": ("2955839661", "3955839661"),
    "uk_driving_licence": ("MORGA600054SM9IJ", "MORGA613054SM9IJ", "MORGA602304SM9IJ", "O9999802299A99XY"),
    "uk_passport": ("123456789", "12345678"),
    "uk_passport_new": ("A1234567", "AB123456"),
    "uk_vehicle": ("IB51 ABC", "AB49 ABC", "AB51 ABQ"),
    "uk_vehicle_old": ("I123 BCD", "ABC 123Z", "for 20k"),
    "uk_postcode": ("QA1 1AA", "M1 1CA", "M1 1AI"),
    "uk_postcode_glued": ("VA11AA", "GIR0AB"),
    "ie_pps": ("6433435E", "6433435VH"),
    "de_tax_id": ("36574261890", "12345678901", "02345678903", "11111111111"),
    "de_tax_number": ("181/815/0815", "1811/815/08155"),
    "de_tax_number_plain": ("4151181508156", "0281508150123", "7133081508159", "136695978"),
    "de_social_security": ("20151090B024", "15310649C103", "15070649C104"),
    "de_id_card": ("L01X00T472", "C01234565", "PR1234567", "K12345674", "LO1X00T471"),
    "de_id_card_digits": ("T220001290", "L01X00T47", "A12345678"),
    "de_id_card_serial": ("123456789", "L01X00T4"),
    "de_passport": ("F12345678", "L01X00T44", "C01X00T42"),
    "de_passport_serial": ("A12345678", "C1234567"),
    "de_health_insurance": ("A123456787", "M123456789", "A12345678"),
    "de_vat": ("DE136695975", "FR136695976", "136695976"),
    "de_driving_licence": ("BO1234567A", "B0123456789"),
    "de_driving_licence_any": ("JANUARY2024", "J010000SD5"),
    "de_vehicle": ("B-AB 0123", "B-AB 12345", "B-AB 12X", "ABC-DE 1234"),
    "de_vehicle_spaced": ("B AB 0123", "KA EF 12X"),
    "de_postcode": ("00999", "1067"),
    "de_bsnr": ("02123456", "A21234568"),
    "de_lanr": ("123456901", "234567601"),
    "de_company_register": ("HRC 44123", "HRB 1", "HRB 1234567"),
    "at_svnr": ("2237 010180", "1237 320180"),
    "ch_ahv": ("756.9217.0769.84", "123.4567.8910.19", "755.9217.0769.85"),
    "ch_uid": ("CHE-100.155.213", "ABC-107.787.577"),
    "fr_nir": ("295109912611199", "253072B07300471", "496873059460350"),
    "fr_nir_other": ("253072C07300443", "253072B07300471", "996873059460350"),
    "fr_siret": ("73282932000079", "00000000000000"),
    "fr_siren": ("404833047", "000000000"),
    "fr_passport": ("AB1234567", "12AB3456"),
    "be_nrn": ("85.07.30-033.29", "12345678901", "85.27.30-033.28"),
    "nl_bsn": ("111252333", "000000000", "9415.07.118"),
    "es_nif": ("54362315Z", "12345678A", "54362315K", "1111111G"),
    "es_nif_short": ("54362315Z", "1111111H"),
    "es_cif": ("S4724221J", "O-1234567-L", "X5253868R"),
    "es_cif_digits": ("J99216583", "B64717839"),
    "es_nie": ("X2482300A", "W8063915Q", "Y8063915Q"),
    "es_passport": ("AA1234567", "AAA12345"),
    "pt_nif": ("501 964 842", "403835527"),
    "pt_cc": ("00000000 0 ZZ3", "00000000 A ZZ4"),
    "it_fiscal_code": ("AAAAAA00B11C333N", "AAAAAA00B30C333Y", "AAAAAA00B99C333Y", "RCCMNL83S18D969A"),
    "it_vat": ("00743110158", "00000000000"),
    "it_vat_prefixed": ("IT00743110158", "FR00743110157"),
    "it_identity_card": ("CA1234BC", "C123456BC"),
    "it_driving_licence": ("AA012345B", "A123456789"),
    "it_passport": ("Y1234567", "YA123456"),
    "pl_pesel": ("44051401358", "02381307589", "11110021111"),
    "pl_nip": ("856-734-62-16", "8567346210"),
    "pl_regon": ("192598183", "12345678612342"),
    "pl_id_card": ("ABS123457", "ABN 677124"),
    "cz_rc": ("710319/2746", "110349/2745"),
    "cz_rc_old": ("590312/123", "531301/123"),
    "cz_rc_plain": ("7103192746", "7113192745"),
    "hu_tax_id": ("8071592154", "7071592153"),
    "ro_cnp": ("1630615123458", "1632215123457", "0800101221142"),
    "bg_egn": ("7523169264", "8019010008"),
    "hr_oib": ("33392005962", "29379074197"),
    "si_emso": ("0101006500007", "3201006500006"),
    "gr_amka": ("01013099999", "32013099997"),
    "gr_afm": ("123456781", "094259217"),
    "tr_id": ("17291716050", "07291716092", "00000000000"),
    "tr_plate": ("82 AB 123", "00 AB 123"),
    "tr_plate_glued": ("99ABC123", "34ABC1234"),
    "se_personnummer": ("880320-0018", "871332-2384", "20110925-2385", "19000309-3393"),
    "se_personnummer_plain": ("200504422381", "19871220-2385", "9202302387"),
    "se_orgnr": ("556703-7486", "212000-0142"),
    "se_orgnr_plain": ("212000-0143", "1234567891", "9201232387"),
    "fi_hetu": ("131052-308U", "310252-308Y", "311190-1111", "012245A110G", "010114-0024"),
    "fi_hetu_digits": ("010114-0025", "320114-0024"),
    "dk_cpr": ("511062-5629", "211052-562", "211362-5629"),
    "dk_cpr_checked": ("211062-5628", "010190-1234", "240115-0001"),
    "dk_cpr_plain": ("2110625628", "5110625629"),
    "dk_cpr_unchecked": ("3102901234", "0113901234"),
    "no_fnr": ("15108695077", "15138695088", "151086950888"),
    "ee_isikukood": ("36805280108", "36813280109"),
    "lt_asmens": ("33309240164", "33313240064"),
    "lv_pk": ("161375-19997", "161175-19998", "328673-00677"),
}  # fmt: skip


def test_every_code_is_tested() -> None:
    assert VALID.keys() == INVALID.keys() == BY_NAME.keys()
    assert all(len(values) > 1 for table in (VALID, INVALID) for values in table.values())


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in VALID.items() for value in values])
def test_a_valid_value_is_accepted(name: str, value: str) -> None:
    assert fits(BY_NAME[name], value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in INVALID.items() for value in values])
def test_an_invalid_value_is_refused(name: str, value: str) -> None:
    assert not fits(BY_NAME[name], value)


@pytest.mark.parametrize("code", europe.CODES, ids=lambda code: code.name)
def test_a_sample_fits_a_layout_and_passes(code: Code) -> None:
    assert fits(code, code.sample)


@given(code=st.sampled_from(europe.CODES), value=st.text(alphabet="0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", max_size=20))
def test_a_validator_answers_for_every_text(code: Code, value: str) -> None:
    assert code.validate is None or code.validate(value) in {True, False}


@pytest.mark.parametrize("code", europe.CODES, ids=lambda code: code.name)
def test_a_checked_value_in_a_form_field_and_any_value_with_its_name_are_believed(code: Code) -> None:
    assert code.checksum == NONE or code.confidence + code.checksum + ALONE >= THRESHOLD
    assert code.confidence + code.checksum + CONTEXT >= THRESHOLD


@pytest.mark.parametrize("code", [code for code in europe.CODES if set("".join(code.layouts)) == {"9"}])
def test_plain_digits_of_a_weak_check_need_a_word_that_names_them(code: Code) -> None:
    assert code.confidence + code.checksum < THRESHOLD or code.checksum > 0.25


def test_codes_and_types_belong_together() -> None:
    assert {code.type for code in europe.CODES} == set(TYPES)
    assert len(BY_NAME) == len(europe.CODES)
    assert len(set(TYPES)) == len(TYPES)
    assert all(kind.locales and kind.source for kind in europe.TYPES)


@pytest.mark.parametrize(
    "text",
    [
        "PSYoungGen: 1048576K->87004K(16777216K), 0.01 secs",
        "allocated 8388608K and 12345679B",
        "started 1704067200, ended 1710806400, next 1762000007",
        "order K12345674 and R14012349 of PR1234567",
        "parcel S063546966 left",
        "invoice 240115-0001, 20240131-2385 and 240115-4321",
        "version 1.71.3192.745 at 17:10:31",
        "built in 85073003329 ns, copied 111222333 bytes and 943476591 more",
        "on the m25 and sold for 20k, in a 4",
        "batch B64717838 of item 99216582",
        "sum 732829320, total 73282932000074",
    ],
)
def test_what_only_looks_like_a_number_of_a_person_is_let_alone(text: str) -> None:
    assert detect(text, types=TYPES) == []


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("uk_nino", "it says AB 12 34 56 C on it", "AB 12 34 56 C"),
        ("uk_vehicle", "the car AB51 ABC was seen", "AB51 ABC"),
        ("de_tax_id", "Meine Steuer-ID: 36574261809.", "36574261809"),
        ("de_tax_id", '{"steuerId": "36574261809"}', "36574261809"),
        ("de_tax_number", "St.-Nr. 93815/08152, Finanzamt Ulm", "93815/08152"),
        ("de_social_security", "steht 15070649C103 darauf", "15070649C103"),
        ("de_id_card", "Ausweis T22000129 gültig", "T22000129"),
        ("de_health_insurance", "KVNR S063546966", "S063546966"),
        ("de_vehicle", "Kennzeichen B AB 1234", "B AB 1234"),
        ("de_company_register", "Amtsgericht Ulm, HRB 4711", "HRB 4711"),
        ("fr_nir", "née, n° 2 95 10 99 126 111 93", "2 95 10 99 126 111 93"),
        ("fr_nir", "sécu : 253072B07300470", "253072B07300470"),
        ("es_nif", "titular 12345678Z", "12345678Z"),
        ("es_nif", "DNI: 54362315K", "54362315K"),
        ("es_nif", "CIF B64717838", "B64717838"),
        ("it_vat", "azienda IT00743110157", "IT00743110157"),
        ("it_vat", "P.IVA 00743110157", "00743110157"),
        ("nl_bsn", "BSN 111222333", "111222333"),
        ("ie_pps", "PPSN 6433435F", "6433435F"),
        ("pl_pesel", "PESEL: 44051401359", "44051401359"),
        ("pl_id_card", "dowód ABS 123456", "ABS 123456"),
        ("cz_rc", "rodné číslo 7103192745", "7103192745"),
        ("cz_rc", "rodné číslo 400908/568", "400908/568"),
        ("se_personnummer", "kunden 871220-2384 ringde", "871220-2384"),
        ("se_personnummer", "personnummer 20110925-2385", "20110925-2385"),
        ("fi_hetu", "asiakas 131052-308T", "131052-308T"),
        ("dk_cpr", "kunden 211062-5629 ringede", "211062-5629"),
        ("dk_cpr", "CPR 0101901234", "0101901234"),
        ("tr_plate", "plaka 34ABC123", "34ABC123"),
        ("lv_pk", "personas kods 328673-00679", "328673-00679"),
    ],
)
def test_a_number_in_a_sentence_is_found(kind: str, text: str, value: str) -> None:
    assert [(find.type, find.value) for find in detect(text, types=TYPES)] == [(kind, value)]


@pytest.mark.parametrize("code", [code for code in europe.CODES if code.checksum > NONE], ids=lambda code: code.name)
def test_a_checked_number_that_is_the_whole_text_is_found(code: Code) -> None:
    found = detect(code.sample, types=[code.type])
    assert [(find.start, find.end) for find in found] == [(0, len(code.sample))]
