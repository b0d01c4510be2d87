from __future__ import annotations

import pytest

from oguardai.detection import detect


def found(text: str, kind: str = "address") -> list[str]:
    return [e.value for e in detect(text, types=[kind])]


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("send it to ", "12 Main Street, Springfield, IL 62704", ". Thanks"),
        ("at ", "742 Evergreen Terrace", " there"),
        ("", "1600 Amphitheatre Parkway\nMountain View, CA 94043", ""),
        ("Flat: ", "12 High Street, London SW1A 1AA", "."),
        ("", "Musterstraße 12, 10115 Berlin", ""),
        ("Er wohnt ", "Am Alten Platz 3", " dort"),
        ("", "12 rue de la Paix, 75002 Paris", ""),
        ("", "12 bis avenue des Lilas", ""),
        ("vive en ", "Calle Mayor 12, 28013 Madrid", ""),
        ("", "Via Roma 12, 00184 Roma", ""),
        ("", "Piazza Garibaldi 4", ""),
        ("«", "Calle Mayor 10", "»"),
        ("•", "Rua Augusta 12", "."),
        ("", "Kerkstraat 12", ""),
        ("", "ul. Karpacka 69", ""),
        ("", "Storgatan 5", ""),
        ("", "P.O. Box 101", ""),
    ],
)
def test_an_address_is_found_from_street_to_town(before: str, address: str, after: str) -> None:
    assert found(before + address + after) == [address]


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("Ship to ", "Pobřežní 8, 473 66 Zliv", " for Vlasta"),
        ("Ship to ", "Iltaruskontie 380, 16024 Ruovesi", " for Juha"),
        ("Versand an ", "Sterrepad 9, 8382WL, Burgerveen", "."),
        ("to ", "Flat 5, Patricia Village, Lambertborough, M4W 2FB", " today"),
        ("to ", "Unit 82 9 Brown Pocket, Freemanport, NT, 4961", " for John"),
        ("to ", "9 Nowhere, Springfield, IL 62704", "."),
        ("to ", "Ladeira de Cirino, 31, Centro", "."),
        ("to ", "Incrocio Giammusso, 4, 26049, Stagno Lombardo", " (CR)"),
    ],
)
def test_a_street_of_any_name_is_known_by_the_postcode_and_town_behind(before: str, address: str, after: str) -> None:
    assert found(before + address + after) == [address]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Ana\n\n83 Urzáiz 12\n Suite 628\n Teruel", "83 Urzáiz 12\n Suite 628\n Teruel"),
        ("> Bo\n>04 Pascual Yunquera 12\n>Apt. 899\n>Gabon", "04 Pascual Yunquera 12\n>Apt. 899\n>Gabon"),
        ("Dr. Megan Sato Apt. 630 39 Rincon 9082\nCarlos", "Apt. 630 39 Rincon 9082\nCarlos"),
        ("it is Apt. 12", "Apt. 12"),
        (">Tina\n>18 15 Millicent Drive", "18 15 Millicent Drive"),
    ],
)
def test_a_flat_belongs_to_its_address(text: str, address: str) -> None:
    assert found(text) == [address]


@pytest.mark.parametrize(
    "address",
    [
        "Unit 6204 Box 9180\nDPO AA 32712",
        "unit 9456 box 8731\ndpo ap 71610",
        "PSC 3050, Box 6021, APO AE 09021",
        "USNS Frías\nFPO AA 88037",
        "APO AE 09021",
    ],
)
def test_an_address_of_the_forces_is_found(address: str) -> None:
    assert found(f"Send it to {address} soon") == [address]


@pytest.mark.parametrize(
    ("before", "address", "after"),
    [
        ("経費は", "東京都港区芝公園4丁目2-8", "です"),
        ("", "岐阜県香取郡多古町月島36丁目10番4号", ""),
        ("〒", "埼玉県練馬区方京29丁目13番16号 アーバン細竹884", ""),
        ("주소: ", "서울특별시 강남구 테헤란로 152", " 입니다"),
        ("", "충청남도 부천시 오정구 논현34거리 53-40 (지현손하동)", ""),
        ("", "세종특별자치시 노원구 삼성324로 지하488", ""),
    ],
)
def test_an_address_of_japan_or_korea_is_found_from_prefecture_or_province(
    before: str, address: str, after: str
) -> None:
    assert found(before + address + after) == [address]


@pytest.mark.parametrize("text", ["Address: 4711 Nowhere at all, Kleinkleckersdorf", "lives at 92 Eusebio Dávila 57"])
def test_what_is_called_an_address_is_one(text: str) -> None:
    assert len(found(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "During 1996 this product", "in Spring 2007", "keep getting address 12.92.149.211 blocked", "1 St",
        "version 2 Road map is", "3 Hill", "for 10 Way", "page 12 Place", "x = 5 * Road", "route 66", "via 3 hops",
        "12 Courtesy calls", "June 3, 2024 Meeting", "see Figure 4, 5000 People", "Chapter 5, 10000 Steps",
        "test suite 12 passed", "Suite 12", "unit 9", "ran 5 unit 12", "box 12", "a flat 12", "第12回", "약 12명",
        "東京都の人口は14万", "東京都新宿区の人口は14万", "경기도 성남시 분당구 인구는 10명",
        "Version 9, Linux, 12345",
    ],
)  # fmt: skip
def test_a_number_beside_a_word_is_no_address(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("ZIP: 12345", "12345"),
        ("My zip code is 35649", "35649"),
        ("zip 62704-1234", "62704-1234"),
        ("CAP 00184", "00184"),
    ],
)
def test_a_postcode_is_found_behind_a_word_for_it(text: str, value: str) -> None:
    assert found(text, "zip") == [value]
    assert found(f"costs {value}", "zip") == []
