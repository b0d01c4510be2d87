from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oguardai.detection.codes import Layouts, compact
from oguardai.detection.detector import NONE, Code
from oguardai.detection.national import africa, americas, asia, europe, oceania

CODES = (*europe.CODES, *americas.CODES, *oceania.CODES, *asia.CODES, *africa.CODES)
BY_TYPE: dict[str, list[Code]] = {}
for _code in CODES:
    BY_TYPE.setdefault(_code.type, []).append(_code)

# Published examples, computed numbers, and cases of presidio-analyzer's tests (MIT).
VALID = {
    "uk_nhs": ["943 476 5919", "2213951837"],
    "uk_nino": ["AB123456C", "hh 01 02 03 d"],
    "uk_postcode": ["SW1A 1AA", "M60 1NW", "DN551PT", "GIR0AA"],
    "uk_driving_licence": ["MORGA607054SM9IJ", "FO999512018AA1AB", "SMITH862310AB1CD", "JONES710153J99EF"],
    "uk_vehicle": ["AB51 ABC", "LN14HGT"],
    "ie_pps": ["6433435F", "6433435FW"],
    "de_tax_id": ["36574261809", "86095742719", "98765432106", "12345678903"],
    "de_social_security": ["20151090B023", "15070649C103"],
    "de_id_card": ["L01X00T471", "C01234565", "T22000129", "T220001293"],
    "de_passport": ["C01234565", "F12345671", "C01X00T41"],
    "de_health_insurance": ["M123456785", "a123456780"],
    "de_vat": ["DE136695976", "DE 129 273 398", "DE.136.695.976"],
    "de_lanr": ["987654401", "555555501", "999999901"],
    "ch_ahv": ["756.9217.0769.85"],
    "at_svnr": ["1237 010180"],
    "fr_nir": ["2 95 10 99 126 111 93", "253072B07300470"],
    "fr_siret": ["73282932000074"],
    "es_nif": ["55555555-K", "12345678Z", "1111111G"],
    "es_nie": ["Y8063915Z", "z8078221m"],
    "it_fiscal_code": ["RCCMNL83S18D969H", "AAAAAA00B11C333Y"],
    "it_vat": ["00743110157", "01333550323"],
    "nl_bsn": ["111222333", "9415.07.117"],
    "be_nrn": ["85.07.30-033.28", "17073003384"],
    "pl_pesel": ["44051401359", "11111111116"],
    "pl_nip": ["8567346215"],
    "pt_nif": ["501964843"],
    "se_personnummer": ["191005059801", "871220-2384", "9201232387", "20110925-2385"],
    "se_orgnr": ["212000-0142", "5567037485"],
    "fi_hetu": ["010594Y9032", "020594X903P", "030594W903B", "010516B903X", "131052-308T"],
    "dk_cpr": ["211062-5629"],
    "no_fnr": ["15108695088"],
    "ro_cnp": ["1630615123457"],
    "cz_rc": ["710319/2745"],
    "bg_egn": ["7523169263"],
    "gr_amka": ["01013099997"],
    "hr_oib": ["33392005961"],
    "tr_id": ["10000000146", "76543210794", "53857632436", "36493665440"],
    "in_aadhaar": ["3123 4567 8909", "3123-4567-8909", "3123:4567:8909", "400123456787"],
    "in_pan": ["ABCPD1234Z", "ABBPM4567S", "ABCDE1234F"],
    "in_gstin": ["27ABCDE1234F1Z5", "07PQRST6789K1Z2"],
    "in_vehicle": ["KA53ME3456", "KA 99 ME 3456"],
    "sg_nric": ["S9108268C", "F2346401L", "T7572225C", "S2740116C"],
    "sg_uen": ["201434292D", "T16RF0037C", "R16RF0037F"],
    "kr_rrn": ["960121-1021413", "0509122000019"],
    "kr_frn": ["911124-5678901", "0005056637892"],
    "kr_brn": ["104-82-13138", "1048656659"],
    "kr_driver_license": ["11-22-123456-12", "112212345612"],
    "cn_id": ["11010519491231002X"],
    "th_id": ["1234567890121", "3456789012347", "1520000000004"],
    "ph_tin": ["000-123-456-000", "000123456"],
    "hk_id": ["G123456A"],
    "tw_id": ["A123456789"],
    "za_id": ["8001015009087", "8001015000086", "0002294321191", "9912316789285"],
    "ng_nin": ["01234567895"],
    "ng_vehicle": ["ABJ-001AA", "APP456CV"],
}
INVALID = {
    "uk_nhs": ["943 476 5918", "0000000001"],
    "uk_nino": ["AA123456H", "NT998877A", "ZZ123456A"],
    "uk_postcode": ["QA1 1AA", "VA1 1AA", "M1 1CA", "M1 1AI"],
    "uk_driving_licence": [
        "MORGA600054SM9IJ",
        "MORGA613054SM9IJ",
        "MORGA650054SM9IJ",
        "MORGA601004SM9IJ",
        "MORGA601324SM9IJ",
    ],
    "uk_vehicle": ["IB51 ABC", "AB49 ABC", "I123 BCD"],
    "ie_pps": ["6433435E"],
    "de_tax_id": ["12345678901", "02345678903", "11111111111", "12222234567"],
    "de_social_security": ["20151090B024", "20151390B023"],
    "de_health_insurance": ["A123456787", "M123456789"],
    "de_vat": ["DE136695975", "FR136695976"],
    "de_lanr": ["123456901", "234567601"],
    "ch_ahv": ["756.9217.0769.84", "755.9217.0769.85"],
    "fr_nir": ["2 95 10 99 126 111 94"],
    "fr_siret": ["73282932000079", "00000000000000"],
    "es_nif": ["12345678A"],
    "es_nie": ["Y8063915Q"],
    "it_fiscal_code": ["AAAAAA00B11C333N", "AAAAAA00B99C333Y"],
    "it_vat": ["00000000001", "00743110158"],
    "nl_bsn": ["111222334", "000000000"],
    "be_nrn": ["85.07.30-033.29", "85.27.30-033.28"],
    "pl_pesel": ["44051401358", "11110021111"],
    "pl_nip": ["8567346216"],
    "pt_nif": ["501964842"],
    "se_personnummer": ["19000309-3393", "200504422381", "871220-2385"],
    "se_orgnr": ["212000-0143"],
    "fi_hetu": ["311190-1111", "310289-211C", "012245A110G", "010324A110G"],
    "no_fnr": ["15108695089", "15138695088"],
    "ro_cnp": ["1630615123458"],
    "cz_rc": ["710319/2746"],
    "bg_egn": ["7523169264"],
    "gr_amka": ["01013099998"],
    "hr_oib": ["33392005962"],
    "tr_id": ["11798724308", "10000000145", "62286775983", "00000000000"],
    "in_aadhaar": ["123456789012", "3123 4567 8908", "222222222222"],
    "in_gstin": ["00ABCDE1234F1Z5", "38ABCDE1234F1Z5", "27ABCDE1234F1Y5"],
    "in_vehicle": ["XX53ME3456"],
    "sg_uen": ["201434292A"],
    "kr_rrn": ["0013321234567", "960303-0021413"],
    "kr_frn": ["0013321234567", "960303-0021413", "960121-1021413"],
    "kr_brn": ["123-45-67890", "104-82-13139"],
    "kr_driver_license": ["31-22-123456-12"],
    "cn_id": ["110105194912310021", "11010519491331002X"],
    "th_id": [
        "0234567890124",
        "1594567890124",
        "1684567890124",
        "1794567890124",
        "1874567890124",
        "1974567890124",
        "3456789012346",
    ],
    "ph_tin": ["000-123-457-000"],
    "hk_id": ["G1234567"],
    "tw_id": ["A123456788", "A323456789"],
    "za_id": ["8001015000076", "8013015009087"],
    "ng_nin": ["12345678901", "00000000000"],
}


def accepted(kind: str, value: str) -> bool:
    codes = BY_TYPE[kind]
    matches = [match for match in Layouts(codes).matches(value) if match.end - match.start == len(value)]
    checks = [codes[place].validate for match in matches for place in match.places]
    return any(check is None or check(compact(value)) for check in checks)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in VALID.items() for value in values])
def test_a_valid_number_is_accepted(kind: str, value: str) -> None:
    assert accepted(kind, value)


@pytest.mark.parametrize(("kind", "value"), [(kind, value) for kind, values in INVALID.items() for value in values])
def test_an_invalid_number_is_refused(kind: str, value: str) -> None:
    assert not accepted(kind, value)


# What these check is no digit: prefixes, areas, dates, which one changed digit may leave right.
NO_DIGIT = {
    "uk_nino", "uk_postcode", "uk_postcode_glued", "de_id_card_digits", "ca_health_quebec", "in_pan", "in_gstin",
    "kr_rrn", "kr_driver_license", "kr_driver_license_plain", "eg_nid",
}  # fmt: skip
CHECKED = [code for code in CODES if code.checksum > NONE and code.name not in NO_DIGIT]


@pytest.mark.parametrize("code", CHECKED, ids=lambda code: code.name)
def test_a_checked_number_with_one_digit_changed_is_refused_somewhere(code: Code) -> None:
    value = compact(code.sample)
    assert code.validate is not None
    assert code.validate(value)
    changed = [
        value[:at] + str((int(char) + 1) % 10) + value[at + 1 :] for at, char in enumerate(value) if char.isdigit()
    ]
    assert not all(map(code.validate, changed))


@pytest.mark.parametrize("code", [code for code in CODES if code.validate is not None], ids=lambda code: code.name)
def test_a_validator_answers_for_every_text_of_its_layouts(code: Code) -> None:
    assert code.validate is not None
    for digit in "019":
        for letter in "AZ":
            for layout in code.layouts:
                value = "".join(digit if c == "9" else letter if c in "AX" else "" for c in layout)
                assert code.validate(value) in {True, False}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([code for code in CODES if code.validate is not None]), st.data())
def test_a_validator_answers_for_any_number_of_its_layouts(code: Code, data: st.DataObject) -> None:
    layout = compact(data.draw(st.sampled_from(code.layouts)).replace("|", ""))
    alphabet = {"9": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "X": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    value = "".join(data.draw(st.sampled_from(alphabet[char])) for char in layout)
    assert code.validate is not None
    assert code.validate(value) in {True, False}
