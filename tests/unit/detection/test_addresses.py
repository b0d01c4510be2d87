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
        ("", "Kerkstraat 12", ""),
        ("", "ul. Karpacka 69", ""),
        ("", "Storgatan 5", ""),
        ("", "P.O. Box 101", ""),
    ],
)
def test_an_address_is_found_from_street_to_town(before: str, address: str, after: str) -> None:
    values = found(before + address + after)
    assert len(values) == 1
    assert address.split(",", maxsplit=1)[0].split("\n", maxsplit=1)[0][-12:] in values[0] or values[0] in address
    assert values[0][0] == address[0] or values[0] in address


@pytest.mark.parametrize("text", ["Address: 4711 Nowhere at all, Kleinkleckersdorf", "lives at 92 Eusebio Dávila 57"])
def test_what_is_called_an_address_is_one(text: str) -> None:
    assert len(found(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "During 1996 this product", "in Spring 2007", "keep getting address 12.92.149.211 blocked", "1 St",
        "version 2 Road map is", "3 Hill", "for 10 Way", "page 12 Place", "x = 5 * Road", "route 66", "via 3 hops",
        "12 Courtesy calls",
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
