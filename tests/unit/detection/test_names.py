from __future__ import annotations

import pytest

from oguardai.detection import detect


def found(text: str, kind: str) -> list[str]:
    return [e.value for e in detect(text, types=[kind])]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Please ask Mr. Okonjo about it.", "Okonjo"),
        ("Sehr geehrte Frau Müller-Lüdenscheidt,", "Müller-Lüdenscheidt"),
        ("Mme Lefèvre viendra.", "Lefèvre"),
        ("Dr. J. R. Vandermeer called", "J. R. Vandermeer"),
        ("Sra. de la Cruz y", "Cruz"),
        ("Hi Romilda, how are you?", "Romilda"),
        ("Dear Ngozi Adaeze,", "Ngozi Adaeze"),
        ("Hola Xiomara, gracias", "Xiomara"),
        ("My name is Priyanka Deshmukh and", "Priyanka Deshmukh"),
        ("Mein Name ist Wolfhard Krampe.", "Wolfhard Krampe"),
        ("Je m'appelle Amandine Rocheteau", "Amandine Rocheteau"),
        ("Me llamo Xavi Puigdemont", "Xavi Puigdemont"),
        ("Name: Jessica Mccarthy\nPhone", "Jessica Mccarthy"),
        ('{"name": "Ottoline Brandvold", "x"', "Ottoline Brandvold"),
        ("Name: 佐々木 智也", "佐々木 智也"),
        ("Name: 이지혜\n", "이지혜"),
        ("Kind regards,\nOttoline Brandvold\nSales", "Ottoline Brandvold"),
        ("Mit freundlichen Grüßen\nOttoline Brandvold", "Ottoline Brandvold"),
        ("From: Ottoline Brandvold <ob@example.com>", "Ottoline Brandvold"),
        ('"van der Berg, Jan" <jan@example.com>', "Jan"),
        ("Then Jennifer Outhwaite spoke", "Jennifer Outhwaite"),
        ("said Keiko to Jessica", "Jessica"),
        ("This is Ottoline Brandvold from", "Ottoline Brandvold"),
    ],
)
def test_a_person_is_found(text: str, name: str) -> None:
    assert any(name in value for value in found(text, "person"))


@pytest.mark.parametrize(
    "text",
    [
        "Dear Customer, thank you.",
        "Dear Sir or Madam,",
        "Hi Team, all good",
        "Hello World",
        "The Will of the people in May",
        "Will you join us in June?",
        "name = get_name(user)",
        "name: string",
        "Capitalized words like Wisdom and Discipline are often mistaken with names.",
        "class Parser(Base): pass",
        "Kind regards",
        "This is Bad",
        "see README.md and Jennifer.py",
        "user_Jennifer_x",
        "jennifer@example.com",
    ],
)
def test_a_word_that_is_no_person_is_left(text: str) -> None:
    assert found(text, "person") == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("we at Example Widgets Ltd. do", "Example Widgets Ltd."),
        ("Beispiel & Söhne GmbH liefert", "Beispiel & Söhne GmbH"),
        ("la Exemple Nord S.A. a dit", "Exemple Nord S.A"),
        ("Esempio S.r.l. di", "Esempio S.r.l"),
        ("Voorbeeld B.V.", "Voorbeeld B.V"),
        ("by Example, Inc. of", "Example, Inc"),
    ],
)
def test_a_company_is_found_by_its_legal_form(text: str, name: str) -> None:
    assert any(name in value for value in found(text, "company"))


@pytest.mark.parametrize(
    "text", ["SE and AG", "the Group met", "Copyright 2007 Co", "a limited Ltd", "use Inc( and Co-op"]
)
def test_a_legal_form_alone_is_no_company(text: str) -> None:
    assert found(text, "company") == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("I live in Ennistymon now", "Ennistymon"),
        ("wohnhaft in Oer-Erkenschwick", "Oer-Erkenschwick"),
        ("flying to New Zealand soon", "New Zealand"),
        ("Algeria was fun", "Algeria"),
        ("City: Ulaanbaatar", "Ulaanbaatar"),
        ("we met in Paris", "Paris"),
    ],
)
def test_a_place_is_found(text: str, place: str) -> None:
    assert place in found(text, "location")


@pytest.mark.parametrize(
    "text", ["Paris Hilton", "America/New_York", "a nice day", "from Monday to Friday", "Turkey sandwich"]
)
def test_a_word_that_is_no_place_is_left(text: str) -> None:
    assert found(text, "location") == []
