"""JSON as RFC 8259 has it and nothing beyond, from a body of bytes."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from oguardai.errors import InvalidRequestError, UnsupportedMediaTypeError

_CONTENT_TYPE = re.compile(
    r'[ \t]*application/json[ \t]*(;[ \t]*charset[ \t]*=[ \t]*("utf-8"|utf-8)[ \t]*)?;?[ \t]*', re.IGNORECASE
)
_MAX_DIGITS = 20  # of an integer: no field takes more, and int() is quadratic
_MAX_NAME = 64  # characters of a caller's field name in an error
_PLAIN_NAME = re.compile(r"[^A-Za-z0-9_.:/@ -]")


def require_json(content_type: str, content_encoding: str) -> None:
    """Raise UnsupportedMediaTypeError unless the body is plain UTF-8 JSON by its headers."""
    if not _CONTENT_TYPE.fullmatch(content_type):
        raise UnsupportedMediaTypeError("Content-Type must be application/json, in UTF-8")
    if content_encoding.strip().lower() not in {"", "identity"}:
        raise UnsupportedMediaTypeError("Content-Encoding is not supported: send the body as it is")


def parse_object(body: bytes) -> dict[str, object]:
    """Parse a body that must be one JSON object.

    Raises:
        InvalidRequestError: anything else, an object with the same name twice, NaN, an integer of absurd length. The
            detail says where, and quotes nothing but field names.
    """
    if not body:
        raise InvalidRequestError("the body is empty: a JSON object is needed")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequestError(f"the body is not UTF-8 (at byte {error.start})") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not JSON (at line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise InvalidRequestError("the body is nested too deeply") from None
    if not isinstance(value, dict):
        raise InvalidRequestError("the body must be a JSON object")
    return value


def shown_name(name: str) -> str:
    """Return a caller's field name fit for an error: printable ASCII, short, quoted."""
    short = name if len(name) <= _MAX_NAME else name[:_MAX_NAME] + "..."
    return f"'{_PLAIN_NAME.sub(lambda match: f'u+{ord(match.group()):04x}', short)}'"


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    result = dict(pairs)
    if len(result) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise InvalidRequestError(f"field {shown_name(name)} occurs twice in one object")
            seen.add(name)
    return result


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise InvalidRequestError("the body holds a number that is too long")
    return int(digits)


def _constant(name: str) -> NoReturn:
    raise InvalidRequestError("the body holds NaN or Infinity, which JSON does not have")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_constant)
