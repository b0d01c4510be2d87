"""Put a key at the end of ``session.keyring`` in the text of oguardai.yaml; every other byte stays as it is."""

from __future__ import annotations

import yaml


class NotEditableError(Exception):
    """The file is valid, but not written in a way that a line can be added to; the message says what to do."""


def append_key(text: str, fields: dict[str, str]) -> str:
    """Return the text with one more entry in its keyring, indented as the entries that are there.

    Args:
        fields: plain scalars by name, in the order in which they are written.

    Raises:
        NotEditableError: there is no keyring, or it is not written as a list of lines.
    """
    ring = _child(_child(yaml.compose(text, Loader=yaml.SafeLoader), "session"), "keyring")
    if not isinstance(ring, yaml.SequenceNode) or not ring.value:
        raise NotEditableError("there is no session.keyring to add a key to")
    if ring.flow_style or any(not isinstance(entry, yaml.MappingNode) or entry.flow_style for entry in ring.value):
        raise NotEditableError("session.keyring is written with brackets; write it as lines, '- kid: 0' and so on")
    dash = ring.start_mark.column
    first = ring.value[0].start_mark
    same_line = text.rfind("\n", 0, first.index) < text.rfind("-", 0, first.index)
    gap = first.column - dash - 1 if same_line else 1
    newline = "\r\n" if "\r\n" in text else "\n"
    lines = [f"{name}: {value}{newline}" for name, value in fields.items()]
    entry = " " * dash + "-" + " " * gap + (" " * (dash + 1 + gap)).join(lines)
    position = _line_end(text, _last_scalar(ring).end_mark)
    before = text[:position]
    if before and not before.endswith("\n"):
        before += newline
    return before + entry + text[position:]


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for key, value in node.value if key.value == name), None)


def _last_scalar(node: yaml.Node) -> yaml.Node:
    """Return the last value inside; the end of a block itself is only where the next thing begins."""
    while isinstance(node, yaml.SequenceNode | yaml.MappingNode) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(node, yaml.MappingNode) else last
    return node


def _line_end(text: str, mark: yaml.Mark) -> int:
    """Return where the line of a mark ends, its line end included, so that a comment on it stays with it."""
    if mark.column == 0:  # a block of text ends at the start of the next line
        return int(mark.index)
    end = text.find("\n", mark.index)
    return len(text) if end < 0 else end + 1
