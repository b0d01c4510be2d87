from __future__ import annotations

import pytest

from oguardai.detection import ENTITY_TYPES, Entity, detect

from .samples import FOUND


def explained(text: str, kind: str, threshold: float = 0.5) -> Entity:
    (entity,) = detect(text, types=[kind], threshold=threshold, explain=True)
    return entity


def kinds(entity: Entity) -> list[str]:
    return [evidence.kind for evidence in entity.explanation]


@pytest.mark.parametrize(
    ("text", "kind", "evidence"),
    [
        ("about 219-09-9998", "us_ssn", ["pattern"]),
        ("219-09-9998", "us_ssn", ["pattern", "alone"]),
        ("SSN 219-09-9998", "us_ssn", ["pattern", "context"]),
        ("mon NAS: 258 933 688", "ca_sin", ["pattern", "checksum", "context"]),
        ("258 933 688 is my SIN", "ca_sin", ["pattern", "checksum", "context"]),
        ("121000358", "us_bank_routing", ["pattern", "checksum", "alone"]),
        ('"121000358"', "us_bank_routing", ["pattern", "checksum", "alone"]),
    ],
)
def test_a_find_says_what_speaks_for_it(text: str, kind: str, evidence: list[str]) -> None:
    assert kinds(explained(text, kind)) == evidence


def test_the_word_that_names_a_find_is_said_as_the_table_writes_it() -> None:
    (context,) = [e for e in explained("Passeport: 12AB34567", "passport").explanation if e.kind == "context"]
    assert context.detail == "passeport*"


def test_a_code_in_a_list_is_believed_with_the_one_before_it() -> None:
    text = f"NPI {' ' * 37}1234567893, 1245319599"
    first, second = detect(text, types=["us_npi"], explain=True)
    assert kinds(first) == ["pattern", "checksum", "context"]
    assert kinds(second) == ["pattern", "checksum", "follows"]
    assert detect(f"NPI {' ' * 48}1245319599", types=["us_npi"]) == []


def test_a_word_for_something_else_speaks_against_a_code() -> None:
    assert detect("order 219-09-9998", types=["us_ssn"]) == []
    assert (
        explained("SSN of the order 219-09-9998", "us_ssn", 0.1).confidence
        < explained("SSN 219-09-9998", "us_ssn").confidence
    )
    assert "negative_context" in kinds(explained("order 219-09-9998", "us_ssn", 0.1))


def test_nothing_is_explained_unasked() -> None:
    assert all(entity.explanation == () for entity in detect("SSN 219-09-9998"))


@pytest.mark.parametrize(("detector", "before", "value", "after"), FOUND)
def test_a_confidence_is_the_sum_of_its_evidence(detector: str, before: str, value: str, after: str) -> None:
    for entity in detect(before + value + after, types=ENTITY_TYPES, explain=True):
        total = sum(evidence.weight for evidence in entity.explanation)
        assert entity.confidence == pytest.approx(min(0.99, max(0, total)), abs=0.006)
        assert value not in "".join(evidence.detail for evidence in entity.explanation)
