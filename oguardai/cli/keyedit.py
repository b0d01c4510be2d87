"""Edit ``session.keyring`` in the text of oguardai.yaml, line by line; every other byte stays as it is.

The parser says where things stand, and the lines are changed in place. A library that loads and dumps again
(ruamel.yaml) keeps most comments, but indents the lists anew and drops the comments around an entry that goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import yaml

_BARE = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_+/=:-]*[A-Za-z0-9_+/=-])?")  # no colon in front of a blank or the end
_OTHER_BREAKS = re.compile("\r(?!\n)|[\x85\u2028\u2029]")  # end a line for a reader of yaml, not for this module
_END_OF_DOCUMENT = re.compile(r"^\.\.\.", re.MULTILINE)


class NotEditableError(Exception):
    """The file is valid, but not written in a way that its lines can be edited; the message says what to do."""


def append_key(text: str, fields: Mapping[str, str]) -> str:
    """Return the text with one more entry at the end of its keyring, indented as the entries that are there.

    Args:
        fields: text by name, in the order in which they are written.

    Raises:
        NotEditableError: there is no keyring, or it is not written as a list of lines.
    """
    ring = _ring_of(text)
    return _insert_line(text, _line_end(text, _last_scalar(ring)), _new_entry(text, ring, fields))


def prepend_key(text: str, fields: Mapping[str, str]) -> str:
    """Return the text with one more entry in front of its keyring; as :func:`append_key`."""
    ring = _ring_of(text)
    return _insert_line(text, _entry_start(text, ring, 0, with_comment=False), _new_entry(text, ring, fields))


def create_keyring(text: str, fields: Mapping[str, str]) -> str:
    """Return the text with a keyring of one entry at the end of its ``session`` section, which is made if needed.

    Raises:
        NotEditableError: there is a keyring, or the section is not written as lines.
    """
    top = _parse(text)
    session = _child(top, "session")
    if _child(session, "keyring") is not None:
        raise NotEditableError("there is a session.keyring already")
    indent, position = 2, len(text)
    header = "session:\n"
    if isinstance(session, yaml.MappingNode):
        if session.flow_style or not session.value:
            raise NotEditableError("session is written with brackets; write its settings as lines")
        header, indent = "", session.start_mark.column
        position = _line_end(text, _last_scalar(session))
    elif session is not None:  # "session:" with nothing below
        header, position = "", _line_end(text, session)
    elif isinstance(top, yaml.MappingNode) and top.flow_style:
        raise NotEditableError("the file is written with brackets; write its settings as lines")
    elif (end := _END_OF_DOCUMENT.search(text, _last_scalar(top).end_mark.index if top else 0)) is not None:
        position = end.start()
    entry = _format_entry(fields, " " * (indent + 2) + "- ", " " * (indent + 4))
    return _insert_line(text, position, f"{header}{' ' * indent}keyring:\n{entry}")


def remove_key(text: str, kid: int) -> str:
    """Return the text without an entry, and without the comment lines right above it that are not the list's own.

    Raises:
        NotEditableError: it is not there, or not written as lines.
    """
    ring = _ring_of(text)
    index = _index_of(ring, kid)
    return text[: _entry_start(text, ring, index)] + text[_line_end(text, _last_scalar(ring.value[index])) :]


def move_last(text: str, kid: int) -> str:
    """Return the text with an entry, and the comment lines right above it, at the end of the keyring.

    Raises:
        NotEditableError: it is not there, or not written as lines.
    """
    ring = _ring_of(text)
    index = _index_of(ring, kid)
    if index == len(ring.value) - 1:
        return text
    start, end = _entry_start(text, ring, index), _line_end(text, _last_scalar(ring.value[index]))
    rest, entry = text[:start] + text[end:], text[start:end]
    if not entry.endswith("\n"):
        entry += "\n"
    return _insert_line(rest, _line_end(rest, _last_scalar(_ring_of(rest))), entry)


def set_field(text: str, kid: int, name: str, value: str | None) -> str:
    """Return the text with one field of an entry set, or removed with ``value`` None.

    The field goes above the secret: in a file that is cut, it is the secret that is missing.

    Raises:
        NotEditableError: the entry is not there, or not written as lines.
    """
    ring = _ring_of(text)
    entry = ring.value[_index_of(ring, kid)]
    pairs = {key.value: (key, node) for key, node in entry.value}
    if name not in pairs:
        return text if value is None else _insert_field(text, entry, f"{name}: {_scalar(value)}\n")
    key, node = pairs[name]
    if node.style in {"|", ">"}:
        raise NotEditableError(f"kid {kid}: {name} is written as a block; write it on one line")
    start, end = _line_start(text, key.start_mark.index), _line_end(text, node)
    if value is not None and key.start_mark.index < _secret_start(entry):
        return text[: node.start_mark.index] + _scalar(value) + text[node.end_mark.index :]
    if not text[start : key.start_mark.index].strip():
        rest = text[:start] + text[end:]
        if value is None:
            return rest
        behind = text[node.end_mark.index : end].removesuffix("\n")  # a comment
        ring = _ring_of(rest)
        return _insert_field(rest, ring.value[_index_of(ring, kid)], f"{name}: {_scalar(value)}{behind}\n")
    following = [other for other, _ in entry.value if other.start_mark.index > key.start_mark.index]
    if not following:
        raise NotEditableError(f"kid {kid}: {name} stands alone after its dash; write kid: there")
    behind = text[node.end_mark.index : following[0].start_mark.index]
    return text[: key.start_mark.index] + (behind if behind.strip() else "") + text[following[0].start_mark.index :]


def fields_of(text: str, kid: int) -> dict[str, str]:
    """Return the fields of an entry as text, in the order in which they are written.

    Raises:
        NotEditableError: it is not there, or not written as lines.
    """
    ring = _ring_of(text)
    return {key.value: node.value for key, node in ring.value[_index_of(ring, kid)].value}


def lists(text: str, kid: int | None) -> bool:
    """Tell whether the keyring has an entry with this kid; with None, whether there is a keyring at all."""
    ring = _child(_child(_parse(text), "session"), "keyring")
    entries = ring.value if isinstance(ring, yaml.SequenceNode) else []
    return bool(entries) if kid is None else any(_kid_of(entry) == str(kid) for entry in entries)


def edit(data: bytes, change: Callable[[str], str]) -> bytes:
    """Apply a change to the bytes of the file, whose byte-order mark and line ends stay what they are."""
    mark = b"\xef\xbb\xbf" if data.startswith(b"\xef\xbb\xbf") else b""
    if data.count(b"\r\n") < data.count(b"\n"):  # where both are in use, every line keeps its own
        return mark + change(data.decode("utf-8-sig")).encode()
    edited = change(decode(data))
    return mark + (edited.replace("\n", "\r\n") if b"\r\n" in data else edited).encode()


def decode(data: bytes) -> str:
    """Return the text in the bytes of the file, without a byte-order mark, with ``\\n`` as the line end."""
    return data.decode("utf-8-sig").replace("\r\n", "\n")


# -- where things stand -----------------------------------------------------------------------------------------


def _parse(text: str) -> yaml.Node | None:
    if _OTHER_BREAKS.search(text):
        raise NotEditableError("has line ends other than \\n and \\r\\n")
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _ring_of(text: str) -> yaml.SequenceNode:
    ring = _child(_child(_parse(text), "session"), "keyring")
    if not isinstance(ring, yaml.SequenceNode) or not ring.value:
        raise NotEditableError("there is no session.keyring to edit")
    if ring.flow_style or any(not isinstance(entry, yaml.MappingNode) or entry.flow_style for entry in ring.value):
        raise NotEditableError("session.keyring is written with brackets; write it as lines, '- kid: 0' and so on")
    return ring


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _kid_of(entry: yaml.Node) -> str | None:
    found = _child(entry, "kid")
    return found.value if isinstance(found, yaml.ScalarNode) else None


def _index_of(ring: yaml.SequenceNode, kid: int) -> int:
    for index, entry in enumerate(ring.value):
        if _kid_of(entry) == str(kid):
            return index
    raise NotEditableError(f"there is no kid {kid}")


def _entry_start(text: str, ring: yaml.SequenceNode, index: int, *, with_comment: bool = True) -> int:
    """Return where the line of an entry's dash begins, or the comment lines right above it.

    A comment above the first entry is taken for one about the list.
    """
    column = ring.start_mark.column
    start = _line_start(text, ring.value[index].start_mark.index)
    while text[start : start + column].strip() or text[start + column : start + column + 1] != "-":
        if start == 0:
            raise NotEditableError("session.keyring is not written as lines that begin with a dash")
        start = _line_start(text, start - 1)  # the dash stands on a line of its own, further up
    while with_comment and index > 0:
        above = _line_start(text, start - 1)
        if not text[above:start].startswith(" " * column + "#"):
            break
        start = above
    return start


def _last_scalar(node: yaml.Node) -> yaml.Node:
    """Return the last value inside; the end of a block itself is only where the next thing begins."""
    while isinstance(node, yaml.SequenceNode | yaml.MappingNode) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _line_end(text: str, node: yaml.Node) -> int:
    """Return where the line of a node's end ends, its line end included, so that a comment on it stays with it."""
    mark = node.end_mark
    if mark.column == 0 and mark.index > node.start_mark.index:  # a block of text ends at the start of the next line
        return int(mark.index)
    end = text.find("\n", mark.index)
    return len(text) if end < 0 else end + 1


# -- what is written --------------------------------------------------------------------------------------------


def _insert_line(text: str, position: int, lines: str) -> str:
    before = text[:position]
    if before and not before.endswith("\n"):
        before += "\n"
    return before + lines + text[position:]


def _insert_field(text: str, entry: yaml.MappingNode, line: str) -> str:
    """Put a line of a field below the kid, or in front where the secret stands above the kid."""
    (kid,) = (node for key, node in entry.value if key.value == "kid")
    indent = " " * entry.start_mark.column
    if kid.start_mark.index < _secret_start(entry):
        return _insert_line(text, _line_end(text, kid), indent + line)
    first = entry.start_mark.index
    return text[:first] + line + indent + text[first:]


def _secret_start(entry: yaml.MappingNode) -> int:
    return min(int(key.start_mark.index) for key, _ in entry.value if key.value in {"secret", "secret_file"})


def _new_entry(text: str, ring: yaml.SequenceNode, fields: Mapping[str, str]) -> str:
    dash, first = ring.start_mark.column, ring.value[0].start_mark
    same_line = _line_start(text, first.index) <= text.rfind("-", 0, first.index)
    gap = first.column - dash - 1 if same_line else 1
    return _format_entry(fields, " " * dash + "-" + " " * gap, " " * (dash + 1 + gap))


def _format_entry(fields: Mapping[str, str], head: str, indent: str) -> str:
    lines = [f"{name}: {_scalar(value)}\n" for name, value in fields.items()]
    return head + indent.join(lines)


def _scalar(value: str) -> str:
    """Write a text bare where every reader of yaml takes it for the same text, else in quotes."""
    if _BARE.fullmatch(value):
        return value
    if value.isprintable():
        return "'" + value.replace("'", "''") + "'"
    chars = (f"\\{char}" if char in '\\"' else char if char.isprintable() else f"\\U{ord(char):08x}" for char in value)
    return f'"{"".join(chars)}"'
