"""Declare what a request body may hold: one table, from which come the check and the OpenAPI schema."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from oguardai.errors import InvalidRequestError
from oguardai.web.strictjson import shown_name


class Kind(StrEnum):
    """The types that a field can have."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    STRINGS = "strings"  # an array of strings


_EXPECTED = {
    Kind.STRING: "a string",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.STRINGS: "an array of strings",
}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body.

    Attributes:
        choices: the strings that it takes; empty for any.
        pattern: what a string must match as a whole; empty for anything.
        low, high: bounds of a number, inclusive.
        max_items: of an array of strings.
        default: what its absence means, for the documentation.
    """

    name: str
    kind: Kind
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    pattern: str = ""
    low: float = -math.inf
    high: float = math.inf
    max_items: int = 0
    default: object = None
    example: object = None

    def check(self, value: object) -> object:
        """Return the value as its type; raises InvalidRequestError, which names the field and never the value."""
        match self.kind:
            case Kind.STRING:
                if isinstance(value, str):
                    return self._string(value)
            case Kind.NUMBER:
                if isinstance(value, int | float) and not isinstance(value, bool):
                    if not self.low <= value <= self.high:
                        raise InvalidRequestError(f"field '{self.name}' must be from {self.low:g} to {self.high:g}")
                    return float(value)
            case Kind.BOOLEAN:
                if isinstance(value, bool):
                    return value
            case Kind.STRINGS:
                if isinstance(value, list):
                    return self._strings(value)
        raise InvalidRequestError(f"field '{self.name}' must be {_EXPECTED[self.kind]}")

    def _string(self, value: str) -> str:
        if self.choices and value not in self.choices:
            raise InvalidRequestError(f"field '{self.name}' must be one of: {', '.join(self.choices)}")
        if self.pattern and not re.fullmatch(self.pattern, value):
            raise InvalidRequestError(f"field '{self.name}' must match {self.pattern}")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidRequestError(f"field '{self.name}' holds a lone surrogate, which is no character") from None
        return value

    def _strings(self, values: list[object]) -> tuple[str, ...]:
        if len(values) > self.max_items:
            raise InvalidRequestError(f"field '{self.name}' may have at most {self.max_items} items")
        strings = tuple(self._string(value) for value in values if isinstance(value, str))
        if len(strings) != len(values):
            raise InvalidRequestError(f"field '{self.name}' must be {_EXPECTED[self.kind]}")
        return strings

    def schema(self) -> dict[str, Any]:
        """Return the field as JSON Schema (2020-12, as OpenAPI 3.1 takes it)."""
        text: dict[str, Any] = {"type": "string"}
        if self.choices:
            text["enum"] = list(self.choices)
        if self.pattern:
            text["pattern"] = f"^{self.pattern}$"
        schema: dict[str, Any]
        if self.kind is Kind.STRINGS:
            schema = {"type": "array", "items": text, "maxItems": self.max_items}
        elif self.kind is Kind.STRING:
            schema = text
        else:
            schema = {"type": str(self.kind)}
        if self.low > -math.inf:
            schema["minimum"] = self.low
        if self.high < math.inf:
            schema["maximum"] = self.high
        schema["description"] = self.doc
        if self.default is not None:
            schema["default"] = self.default
        if self.example is not None:
            schema["examples"] = [self.example]
        return schema


@dataclass(frozen=True, slots=True)
class Body:
    """A request body: a JSON object with these fields and no others."""

    name: str
    fields: tuple[Field, ...]

    def parse(self, raw: Mapping[str, object]) -> dict[str, Any]:
        """Return the fields that are present, checked; raises InvalidRequestError naming the first that is wrong."""
        result = {field.name: field.check(raw[field.name]) for field in self.fields if field.name in raw}
        if len(result) != len(raw):
            unknown = next(name for name in raw if name not in result)
            raise InvalidRequestError(f"unknown field {shown_name(unknown)}")
        for field in self.fields:
            if field.required and field.name not in result:
                raise InvalidRequestError(f"field '{field.name}' is missing")
        return result

    def schema(self) -> dict[str, Any]:
        """Return the body as JSON Schema."""
        return {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "required": [field.name for field in self.fields if field.required],
            "additionalProperties": False,
        }
