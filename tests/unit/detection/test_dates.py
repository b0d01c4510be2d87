from __future__ import annotations

import pytest

from oguardai.detection import detect


def found(text: str, kind: str = "date") -> list[str]:
    return [e.value for e in detect(text, types=[kind])]


@pytest.mark.parametrize(
    ("before", "date"),
    [
        ("Today is ", "21.5.2021"), ("Today is ", "21/05/21"),
        ("It's like that since ", "11/15/1979"), ("Date: ", "12-31-2000"),
        ("Admitted: ", "2023-07-04"), ("When: ", "1993-01-04 14:56:41"), ("on ", "March 12, 1985"),
        ("am ", "3. Mai 2024"),
        ("le ", "12 mars 1985"), ("Fecha: ", "2 de enero de 2025"), ("Today is ", "2024-06-05T09:15:30.500-07:00"),
        ("valid until ", "2026-11-05"),
    ],
)  # fmt: skip
def test_a_date_is_found_where_a_word_speaks_of_it(before: str, date: str) -> None:
    assert [value.strip() for value in found(before + date)] == [date]


@pytest.mark.parametrize(
    "text",
    ["1.1 and 10.12.2021 here", "version 1.2.2021", "ratio 12/11/10", "Today is 45.45.2021",
     "2024-06-05 12:00:01 INFO started up", "price 12-11-10", "Today is2024-06-05T09:15:30.500-07:00",
     "on 192.168.20.21"],
)  # fmt: skip
def test_digits_without_a_word_for_a_date_are_none(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("before", "date"),
    [
        ("Data urodzenia: ", "12.07.1985"), ("ur. ", "3 października 1985"), ("Data de nascimento: ", "12/07/1985"),
        ("nascida em ", "3 de março de 1985"), ("Geboortedatum: ", "12-07-1985"), ("geboren op ", "3 maart 1985"),
        ("född ", "1985-03-12"), ("Fødselsdato: ", "12. marts 1985"), ("syntymäaika ", "12.7.1985"),
        ("narozena ", "3. září 1985"), ("Doğum tarihi ", "12.07.1985"), ("Дата рождения: ", "12.07.1985"),
        ("生年月日 ", "1985/03/12"),
    ],
)  # fmt: skip
def test_a_date_of_birth_is_found_in_the_languages_of_europe(before: str, date: str) -> None:
    assert found(before + date, "date_of_birth") == [date]
    assert found("on " + date, "date_of_birth") == []


@pytest.mark.parametrize("text", ["10.12.2021", "5-20-2021", "2024-03-15T14:30Z", "12/2027"])
def test_a_text_that_is_a_date_is_one_where_dates_are_asked_for(text: str) -> None:
    assert found(text) == [text]
    assert [entity.type for entity in detect(text)] in ([], ["date"])


@pytest.mark.parametrize(
    ("text", "age"),
    [("A 65 y/o male.", "65 y/o"), ("a 50 year old man", "50 year old"), ("aged 34, he", "34"), ("Alter: 34", "34"),
     ("age: 7", "7"), ("34 Jahre alt", "34 Jahre alt"), ("at the age of 90.", "90")],
)  # fmt: skip
def test_an_age_is_found(text: str, age: str) -> None:
    assert found(text, "age") == [age]


@pytest.mark.parametrize("text", ["500 years old", "page: 34", "aged 34.5", "34 years", "language 7", "package 34"])
def test_a_number_that_is_no_age_is_left(text: str) -> None:
    assert found(text, "age") == []
