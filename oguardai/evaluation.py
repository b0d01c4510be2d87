"""Compare what detection finds with what people have labelled: recall, precision, F-scores, and what leaks.

A labelled file is JSON lines. A row has ``text`` and ``spans``, a list of ``[start, end, "type"]`` in code points, the
end exclusive. ``types`` names the types that the row labels ("all" for every type); without it the row labels
whatever types its file does. A row with ``tested_type`` labels that type alone, and only that type is looked for. Three
more forms give no place: ``contains_type`` (at least one find), ``type`` and ``count`` (that many), and ``value``,
``type`` and ``valid`` (the value alone is the text; a row that says null of either is skipped).

Scores are those of information retrieval (van Rijsbergen, Information Retrieval, 1979, chapter 7). A find is right when
it overlaps a label of its type; finds of types that a row does not label count for nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any, NamedTuple

ALL = "all"

# Numbers that states give to people; those of firms, documents and patients are others.
_NATIONAL = (
    "ae_id", "at_svnr", "be_nrn", "bg_egn", "br_cpf", "ca_sin", "ch_ahv", "cl_rut", "cn_id", "cz_rc", "de_id_card",
    "de_social_security", "de_tax_id", "dk_cpr", "ec_ci", "ee_isikukood", "eg_nid", "es_nie", "es_nif", "fi_hetu",
    "fr_nir", "gr_amka", "hk_id", "hr_oib", "hu_tax_id", "id_nik", "ie_pps", "il_id", "in_aadhaar", "it_fiscal_code",
    "it_identity_card", "jp_mynumber", "ke_id", "kr_frn", "kr_rrn", "lk_nic", "lt_asmens", "lv_pk", "mx_curp",
    "mx_rfc", "my_nric", "ng_nin", "nl_bsn", "no_fnr", "pe_dni", "pk_cnic", "pl_id_card", "pl_pesel", "pt_cc",
    "pt_nif", "ro_cnp", "se_personnummer", "sg_nric", "si_emso", "th_id", "tr_id", "tw_id", "uk_nino", "us_itin",
    "us_ssn", "vn_cccd", "za_id",
)  # fmt: skip

# What other labelled sets call our types. A name may stand for several, of which the first is what the result calls it,
# or for none; "*" stands for any letters.
ALIASES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "ABA_ROUTING_NUMBER": ("us_bank_routing",),
        "ADDRESS": ("address", "location", "zip"),
        "BIC": ("swift_bic",),
        "CA_POSTAL_CODE": ("ca_postcode",),
        "CRYPTO": ("crypto_address",),
        "CURRENCY": (),
        "DATE": ("date", "date_of_birth"),
        "DATE_TIME": ("date", "date_of_birth"),
        "DE_FUEHRERSCHEIN": ("de_driving_licence",),
        "DE_HANDELSREGISTER": ("de_company_register",),
        "DE_KFZ": ("de_vehicle",),
        "DE_PLZ": ("de_postcode",),
        "DE_VAT_ID": ("de_vat",),
        "DOMAIN_NAME": ("domain", "url"),
        "DRIVERS_LICENSE": ("driver_license", "*_driver_license", "*_driving_licence"),
        "EMAIL_ADDRESS": ("email",),
        "FI_PERSONAL_IDENTITY_CODE": ("fi_hetu",),
        "IBAN_CODE": ("iban",),
        "IN_AADHAAR_VERHOEFF": ("in_aadhaar",),
        "IN_VEHICLE_REGISTRATION": ("in_vehicle",),
        "IPV4": ("ip",),
        "IPV6": ("ip",),
        "IP_ADDRESS": ("ip",),
        "IT_DRIVER_LICENSE": ("it_driving_licence",),
        "IT_VAT_CODE": ("it_vat",),
        "LOCATION": ("location", "address"),
        "MAC_ADDRESS": ("mac",),
        "MEDICAL_LICENSE": ("us_dea",),
        "MISC": (),
        "NATIONAL_ID": ("national_id", *_NATIONAL),
        "NG_VEHICLE_REGISTRATION": ("ng_vehicle",),
        "ORGANIZATION": ("company",),
        "PASSPORT": ("passport", "*_passport"),
        "PHONE_NUMBER": ("phone", "ph_mobile", "tr_phone"),
        "PH_MOBILE_NUMBER": ("ph_mobile", "phone"),
        "PREFIX": (),
        "SE_ORGANISATIONSNUMMER": ("se_orgnr",),
        "SG_NRIC_FIN": ("sg_nric",),
        "TH_TNIN": ("th_id",),
        "TITLE": (),
        "TR_LICENSE_PLATE": ("tr_plate",),
        "TR_NATIONAL_ID": ("tr_id",),
        "TR_PHONE_NUMBER": ("tr_phone", "phone"),
        "UK_VEHICLE_REGISTRATION": ("uk_vehicle",),
        "URL": ("url", "domain"),
        "US_PROVIDER_TAX_ID": ("us_ein",),
        "ZA_ID_NUMBER": ("za_id",),
        "ZA_MOBILE_NUMBER": ("phone",),
        "ZA_TELEPHONE_NUMBER": ("phone",),
        "ZIP_CODE": ("zip", "*_postcode"),
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type as somebody names it: ``name`` in the result, ``accepts`` the project's types that it means."""

    name: str
    accepts: frozenset[str]

    @classmethod
    def of(cls, name: str) -> Kind:
        """Return a type of the project."""
        return cls(name, frozenset((name,)))


class Value(NamedTuple):
    """A part of a text and what it is said to be, by a person (a label) or by a program (a find)."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled text.

    ``kinds`` are the types that the row labels; None stands for all. ``wanted`` are the types to look for: None stands
    for all, and with an empty set nothing is found. ``expected`` is the number of finds of a row without places, and
    ``at_least`` that more may be right.
    """

    line: int
    text: str = field(repr=False)
    labels: tuple[Value, ...]
    kinds: tuple[Kind, ...] | None
    wanted: frozenset[str] | None = None
    expected: int | None = None
    at_least: bool = False

    @property
    def labelled(self) -> frozenset[str]:
        """Types of the project that the row names, as labels or otherwise."""
        kinds = (*(label.kind for label in self.labels), *(self.kinds or ()))
        return frozenset().union(*(kind.accepts for kind in kinds))


@dataclass(frozen=True, slots=True)
class Corpus:
    """A labelled file.

    Attributes:
        wrong: lines that could not be read, with what was expected.
        unknown: names that are no type here, and how often they occur: they count as labelled, and are never found.
        left_out: names of what is no matter of this project, and how often they occur: they do not count.
        skipped: how many rows say nothing.
    """

    rows: tuple[Row, ...]
    wrong: tuple[tuple[int, str], ...]
    unknown: Mapping[str, int]
    left_out: Mapping[str, int]
    skipped: int


@dataclass(slots=True)
class Score:
    """Count of one type.

    Attributes:
        labelled: labelled values, ``hit`` those that a find of the type overlaps.
        found: finds of the type, ``right`` those that overlap a label of it.
        placed, placed_found: the same two of rows that say where the values are; only of those are known
        exact: how many finds have exactly the span of a label, and
        leaked: how many labelled values no single find, of whatever type, covers whole.
    """

    labelled: int = 0
    hit: int = 0
    found: int = 0
    right: int = 0
    placed: int = 0
    placed_found: int = 0
    exact: int = 0
    leaked: int = 0

    def add(self, other: Score) -> None:
        """Add the counts of another score."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    @property
    def precision(self) -> float | None:
        """Share of the finds that are right; None without finds."""
        return _share(self.right, self.found)

    @property
    def recall(self) -> float | None:
        """Share of the labelled values that were found; None without labels."""
        return _share(self.hit, self.labelled)

    @property
    def exact_precision(self) -> float | None:
        """Share of the finds that have exactly the span of a label."""
        return _share(self.exact, self.placed_found)

    @property
    def exact_recall(self) -> float | None:
        """Share of the labelled values that were found with exactly their span."""
        return _share(self.exact, self.placed)

    @property
    def leaks(self) -> float | None:
        """Share of the labelled values of which at least a part would go out."""
        return _share(self.leaked, self.placed)

    def f(self, beta: float) -> float | None:
        """Return (1 + beta²) P R / (beta² P + R): recall counts beta times as much as precision."""
        if not self.labelled:
            return None
        precision, recall = self.precision or 0.0, self.recall or 0.0
        weighted = beta * beta * precision + recall
        return (1 + beta * beta) * precision * recall / weighted if weighted else 0.0

    def as_dict(self) -> dict[str, float | int | None]:
        """Return counts and shares by name."""
        return {
            "labelled": self.labelled,
            "found": self.found,
            "right": self.right,
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f(1),
            "f2": self.f(2),
            "exact_precision": self.exact_precision,
            "exact_recall": self.exact_recall,
            "leaks": self.leaks,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


# --- names ---------------------------------------------------------------------------------------------------


def find_kind(name: str, known: Collection[str]) -> Kind | None:
    """Return what a labelled set means by a name; None for what is no matter of this project.

    A name in lower case is that type of the project. ``known`` are the types that there are; what is not among them is
    never found.
    """
    patterns = ALIASES.get(name, (name.lower(),))
    if not patterns:
        return None
    accepts = {one for pattern in patterns for one in known if fnmatchcase(one, pattern)}
    return Kind(patterns[0], frozenset(accepts or patterns))


# --- reading -------------------------------------------------------------------------------------------------


class _RowError(ValueError):
    """Say what was expected; never with a part of the line."""


class _Reader:
    def __init__(self, known: Collection[str], all_types: bool) -> None:
        self._known = known
        self._all_types = all_types
        self._kinds: dict[str, Kind | None] = {}
        self.unknown: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.unsaid: set[int] = set()
        """Lines that do not say which types they label."""

    def kind(self, name: Any) -> Kind | None:
        if not isinstance(name, str) or not name:
            raise _RowError("expected the name of a type")
        if name not in self._kinds:
            self._kinds[name] = find_kind(name, self._known)
        kind = self._kinds[name]
        if kind is None:
            self.left_out[name] += 1
        elif kind.accepts.isdisjoint(self._known):
            self.unknown[name] += 1
        return kind

    def labels(self, spans: Any, text: str) -> tuple[Value, ...]:
        if not isinstance(spans, list):
            raise _RowError('expected `spans`: a list of [start, end, "type"]')
        labels = []
        for number, span in enumerate(spans, 1):
            if not isinstance(span, list) or len(span) != 3 or type(span[0]) is not int or type(span[1]) is not int:
                raise _RowError(f'span {number}: expected [start, end, "type"], start and end whole numbers')
            start, end, name = span
            if not 0 <= start < end <= len(text):
                raise _RowError(f"span {number}: expected 0 <= start < end <= {len(text)}, the text's length")
            kind = self.kind(name)
            if kind is not None:
                labels.append(Value(start, end, kind))
        return tuple(labels)

    def row(self, line: int, members: Any) -> Row | None:
        """Read a row; None for one that says nothing."""
        if not isinstance(members, dict):
            raise _RowError("expected a JSON object")
        if "value" in members:
            return self._value(line, members)
        text = _text(members, "text")
        if "count" in members:
            count = members["count"]
            if type(count) is not int or count < 0:
                raise _RowError("expected `count`: a whole number")
            return self._counted(line, text, members.get("type"), count)
        if "contains_type" in members:
            return self._counted(line, text, members["contains_type"], 1, at_least=True)
        labels = self.labels(members.get("spans"), text)
        if "tested_type" in members:
            kind = self.kind(members["tested_type"])
            return self._tested(line, text, kind, labels) if kind else None
        names = members.get("types")
        if names is None:
            self.unsaid.add(line)
            return Row(line, text, labels, ())
        if names == ALL:
            return Row(line, text, labels, None)
        if not isinstance(names, list):
            raise _RowError('expected `types`: "all" or a list of names')
        kinds = [kind for name in names if (kind := self.kind(name))]
        return Row(line, text, labels, tuple(dict.fromkeys((*kinds, *(label.kind for label in labels)))))

    def _tested(self, line: int, text: str, kind: Kind, labels: Sequence[Value]) -> Row:
        own = tuple(label for label in labels if label.kind == kind)
        return Row(line, text, own, (kind,), self._wanted(kind))

    def _wanted(self, kind: Kind) -> frozenset[str] | None:
        return None if self._all_types else kind.accepts.intersection(self._known)

    def _value(self, line: int, members: Mapping[str, Any]) -> Row | None:
        valid, name = members.get("valid"), members.get("type")
        if valid is None or name is None:
            return None
        if not isinstance(valid, bool):
            raise _RowError("expected `valid`: true, false or null")
        text = _text(members, "value")
        kind = self.kind(name)
        if kind is None:
            return None
        return self._tested(line, text, kind, [Value(0, len(text), kind)] if valid and text else [])

    def _counted(self, line: int, text: str, name: Any, count: int, *, at_least: bool = False) -> Row | None:
        kind = self.kind(name)
        return Row(line, text, (), (kind,), self._wanted(kind), count, at_least) if kind else None


def _text(members: Mapping[str, Any], name: str) -> str:
    text = members.get(name)
    if not isinstance(text, str):
        raise _RowError(f"expected `{name}`: a string")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise _RowError(f"expected `{name}`: a string without lone surrogates")
    return text


def read_corpus(lines: Iterable[str], known: Collection[str], *, all_types: bool = False) -> Corpus:
    """Read the lines of a labelled file; empty lines are passed over.

    ``known`` are the entity types that there are. With ``all_types`` all are looked for in every row, also where a row
    tests one.
    """
    reader = _Reader(known, all_types)
    rows: list[Row] = []
    wrong: list[tuple[int, str]] = []
    skipped = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = reader.row(number, json.loads(line))
        except _RowError as error:
            wrong.append((number, str(error)))
        except (ValueError, RecursionError):
            wrong.append((number, "expected a JSON object on one line"))
        else:
            rows += [row] if row else []
            skipped += not row
    kinds = tuple(dict.fromkeys(label.kind for row in rows if row.line in reader.unsaid for label in row.labels))
    full = tuple(replace(row, kinds=kinds) if row.line in reader.unsaid else row for row in rows)
    return Corpus(full, tuple(wrong), dict(reader.unknown), dict(reader.left_out), skipped)


# --- scoring -------------------------------------------------------------------------------------------------


def score_rows(rows: Iterable[Row], find: Callable[[Row], Iterable[Value]]) -> dict[str, Score]:
    """Return the scores by type, for what ``find`` finds in each row's text."""
    scores: dict[str, Score] = {}
    for row in rows:
        for name, score in score_row(row, list(find(row))).items():
            scores.setdefault(name, Score()).add(score)
    return dict(sorted(scores.items()))


def score_row(row: Row, finds: Sequence[Value]) -> dict[str, Score]:
    """Return the scores of one row by type."""
    if row.expected is not None:
        assert row.kinds  # noqa: S101 - a row that expects a number names one type
        return {row.kinds[0].name: _score_number(row, row.kinds[0], finds)}
    scores: dict[str, Score] = {}
    for label in row.labels:
        score = scores.setdefault(label.kind.name, Score())
        score.labelled += 1
        score.placed += 1
        score.hit += any(_is_right(found, label) for found in finds)
        score.exact += any(_is_right(found, label) and found[:2] == label[:2] for found in finds)
        score.leaked += not any(found.start <= label.start and label.end <= found.end for found in finds)
    for found in finds:
        right = next((label for label in row.labels if _is_right(found, label)), None)
        kind = right.kind if right else _kind_of(found, row.kinds)
        if kind is None:
            continue
        score = scores.setdefault(kind.name, Score())
        score.found += 1
        score.placed_found += 1
        score.right += right is not None
    return scores


def _is_right(found: Value, label: Value) -> bool:
    overlaps = found.start < label.end and label.start < found.end
    return overlaps and not found.kind.accepts.isdisjoint(label.kind.accepts)


def _kind_of(found: Value, kinds: Sequence[Kind] | None) -> Kind | None:
    """Return the type that a find that fits no label counts for: the one of its name, else the narrowest."""
    if kinds is None:
        return found.kind
    fitting = [kind for kind in kinds if not kind.accepts.isdisjoint(found.kind.accepts)]
    return min(fitting, key=lambda kind: (kind.name != found.kind.name, len(kind.accepts)), default=None)


def _score_number(row: Row, kind: Kind, finds: Sequence[Value]) -> Score:
    found = sum(not one.kind.accepts.isdisjoint(kind.accepts) for one in finds)
    expected = row.expected or 0
    right = min(found, expected)
    return Score(labelled=expected, hit=right, found=right if row.at_least else found, right=right)


def total(scores: Iterable[Score]) -> Score:
    """Return the sum of the scores: of all values and all finds, whatever their type."""
    result = Score()
    for score in scores:
        result.add(score)
    return result
