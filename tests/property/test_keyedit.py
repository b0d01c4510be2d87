"""Edits of the keyring in files of any layout: exactly the keys expected, and not a line that is not the change's."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from oguardai.cli.changes import Add, Change, ClearNotBefore, MoveLast, Remove, Restore, SetState
from oguardai.cli.keyedit import decode, edit
from oguardai.config import load_config
from oguardai.errors import ConfigError
from oguardai.keyring import Key, Keyring, KeyState, generate_secret
from oguardai.state import State, review

NOW = 1_800_000_000.0
LATER = 1_900_000_000.0
PASSPHRASES = (
    "a passphrase: with 'quotes', \"more\", # and \\ in it",
    "ünïcödé ist auch ein Geheimnis, 日本語 🔑 wie jedes",
    "- looks: like, [yaml] {but} &is *not !at %all @any `more",
)
SECRETS = tuple(generate_secret() for _ in range(3))
no_deadline = hypothesis_settings(deadline=None)


@dataclass
class Layout:
    """A file by lines, each with the kid to which it belongs, None for those of nobody."""

    lines: list[tuple[int | None, str]] = field(default_factory=list)
    newline: str = "\n"
    mark: str = ""
    ended: bool = True

    @property
    def data(self) -> bytes:
        text = self.newline.join(line for _, line in self.lines)
        return (self.mark + text + (self.newline if self.ended else "")).encode()

    def of_others(self, kid: int | None) -> list[str]:
        """Return the lines that a change of this kid must leave, in their order; blank lines do not count."""
        return [line for owner, line in self.lines if line.strip() and (owner is None or owner != kid)]


def load(data: bytes) -> Keyring:
    with tempfile.TemporaryDirectory() as directory:
        return load_config(Path(directory), {}, now=NOW, yaml_data=data).keyring


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Draw a file that is valid, with one to four keys of which one at least seals."""
    layout = Layout(newline=draw(st.sampled_from(["\n", "\r\n"])), mark=draw(st.sampled_from(["", "\ufeff"])))
    layout.ended = draw(st.booleans())
    numbers = iter(range(1_000_000))

    def put(owner: int | None, line: str) -> None:
        comment = f"  # {next(numbers)}" if line and not line.lstrip().startswith("#") and draw(st.booleans()) else ""
        layout.lines.append((owner, line + comment))

    def sprinkle(indent: int) -> None:
        for _ in range(draw(st.integers(0, 2))):
            blank = draw(st.booleans())
            layout.lines.append((None, "" if blank else " " * indent + f"# of nobody {next(numbers)}"))

    sprinkle(draw(st.integers(0, 6)))
    if draw(st.booleans()):
        put(None, "log:")
        put(None, "  level: info")
    put(None, draw(st.sampled_from(["session:", '"session":', "'session' :"])))
    section = draw(st.integers(1, 4))
    if draw(st.booleans()):
        put(None, " " * section + "ttl_seconds: 60")
    sprinkle(section + 20)
    put(None, " " * section + "keyring:")
    column = section + draw(st.integers(0, 4))
    kids = draw(st.lists(st.integers(0, 40), unique=True, min_size=1, max_size=4))
    sealing = draw(st.integers(0, len(kids) - 1))
    for index, kid in enumerate(kids):
        sprinkle(column + 1)  # no entry's own: that would stand at its dash
        if index and draw(st.booleans()):
            layout.lines.append((kid, " " * column + f"# of {kid} {next(numbers)}"))
        _draw_entry(draw, put, kid, column, in_use=index == sealing)
    sprinkle(section + 10)
    if draw(st.booleans()):
        put(None, " " * section + "max_age_seconds: 6000")
    if draw(st.booleans()):
        put(None, "server:")
        put(None, "  port: 8080")
    return layout


def _draw_entry(draw: st.DrawFn, put: object, kid: int, column: int, *, in_use: bool) -> None:
    assert callable(put)
    quote = draw(st.sampled_from(["", "'", '"']))
    secret = draw(st.sampled_from([*SECRETS, *PASSPHRASES])) + f" {kid}"
    if not secret.replace("-", "").replace("_", "").replace(" ", "").isalnum() or not secret.isascii():
        secret = secret.replace("'", "''")
        quote = "'"
    above = [f"kid: {kid}"]
    state = draw(st.sampled_from([None, None, "staged", "revoked"])) if not in_use else None
    if state is not None:
        above.append(f"state: {draw(st.sampled_from(['', chr(39)]))}{state}")
        above[-1] += "'" if "'" in above[-1] else ""
    if not in_use and draw(st.booleans()):
        above.append(f"not_before: {draw(st.sampled_from(['2027-01-01T00:00:00Z', '2031-01-01T00:00:00+02:00']))}")
    fields = draw(st.permutations(above))
    lines = [*fields, f"secret: {quote}{secret}{quote}"]
    if fields[0].startswith("kid") and draw(st.integers(0, 3)) == 0 and len(fields) == 1:
        lines.reverse()
    gap = draw(st.integers(1, 3))
    if draw(st.integers(0, 3)) == 0:
        put(kid, " " * column + "-")
    else:
        put(kid, " " * column + "-" + " " * gap + lines.pop(0))
    for line in lines:
        put(kid, " " * (column + 1 + gap) + line)


@st.composite
def changes(draw: st.DrawFn, ring: Keyring) -> tuple[Change, int | None]:
    """Draw a change of these keys, and the kid whose lines it may touch."""
    kind = draw(st.integers(0, 6))
    state = draw(st.sampled_from(list(KeyState)))
    kid = draw(st.sampled_from([key.kid for key in ring.keys]))
    secret = draw(st.sampled_from([*SECRETS, *PASSPHRASES]))
    if kind < 2:
        moment = draw(st.sampled_from([None, LATER]))
        return Add(99, secret, KeyState.IN_USE if moment else state, moment), 99
    if kind == 2:
        fields = {"kid": "98", "state": "staged", "secret": secret}
        return Restore(Key.from_secret(98, secret, state=KeyState.STAGED), fields), 98
    some: list[Change] = [Remove(kid), MoveLast(kid), SetState(kid, state), ClearNotBefore(kid)]
    return some[kind - 3], kid


@no_deadline
@given(layout=layouts(), data=st.data())
def test_the_edited_file_gives_exactly_the_keys_and_keeps_every_other_line(layout: Layout, data: st.DataObject) -> None:
    ring = load(layout.data)
    change, kid = data.draw(changes(ring))
    expected = change.apply(ring)
    assume(expected.active_kid(NOW) is not None)
    edited = edit(layout.data, change.edit)
    assert load(edited) == expected
    others = layout.of_others(kid)
    lines = decode(edited).split("\n")
    assert not Counter(others) - Counter(lines)
    counts = Counter(line for _, line in layout.lines)
    written = ("state: staged", "state: revoked")  # what the change may write as well
    unique = [line for line in others if counts[line] == 1 and line.strip().removeprefix("- ") not in written]
    assert [line for line in lines if line in set(unique)] == unique
    assert edited.startswith(b"\xef\xbb\xbf") == bool(layout.mark)
    assert edited.count(b"\r\n") == (edited.count(b"\n") if "\r" in layout.newline else 0) or not layout.lines[1:]
    if isinstance(change, Add | Restore | SetState | ClearNotBefore):
        blank = [line for _, line in layout.lines if not line.strip()]
        assert len([line for line in lines if not line.strip()]) <= len(blank) + 1
    if isinstance(change, Remove):
        gone = [line for owner, line in layout.lines if owner == kid and "#" in line and line.strip()[0] != "-"]
        assert not set(gone) & set(lines)


def activates_nothing(data: bytes, full: Keyring) -> bool:
    """Tell whether a cut file is refused, or lets no key do what the whole file does not allow it."""
    try:
        cut = load(data)
    except ConfigError:
        return True
    for key in cut.keys:
        allowed = full.find(key.kid)
        if allowed is None and any(key.prk == other.prk for other in full.keys):
            continue  # cut in the digits of its kid, which stand last: the reload misses the kid
        if allowed is None or (key.opens and not allowed.opens) or (key.can_seal(NOW) and not allowed.can_seal(NOW)):
            return False
    return True


@hypothesis_settings(deadline=None, max_examples=40)
@given(layout=layouts(), data=st.data())
def test_a_file_that_is_cut_activates_no_key(layout: Layout, data: st.DataObject) -> None:
    ring = load(layout.data)
    change, _ = data.draw(changes(ring))
    expected = change.apply(ring)
    assume(expected.active_kid(NOW) is not None)
    edited = edit(layout.data, change.edit)
    cuts = {index + 1 for index, byte in enumerate(edited) if byte == 10}
    cuts |= {cut - 1 for cut in cuts} | set(data.draw(st.lists(st.integers(0, len(edited)), max_size=15)))
    for cut in cuts:
        assert activates_nothing(edited[:cut], expected), edited[:cut]


def test_a_file_of_an_editor_that_is_cut_at_any_byte_activates_no_key() -> None:
    text = "session:\n  keyring:\n    - kid: 0\n      secret: {}\n    - secret: {}\n      kid: 1\n# end\n"
    data = text.format(generate_secret(), generate_secret()).encode()
    some: list[Change] = [Add(2, generate_secret(), KeyState.STAGED), Add(2, generate_secret(), not_before=LATER)]
    some += [SetState(kid, KeyState.REVOKED) for kid in (0, 1)] + [SetState(1, KeyState.STAGED)]
    for change in some:
        edited = edit(data, change.edit)
        for cut in range(len(edited)):
            assert activates_nothing(edited[:cut], load(edited)), edited[:cut]


@no_deadline
@given(layout=layouts())
def test_a_file_that_lost_whole_entries_is_noticed_on_reload(layout: Layout) -> None:
    ring = load(layout.data)
    new = Add(99, generate_secret())
    edited = edit(layout.data, new.edit)
    full = new.apply(ring)
    state = State().accept(full, now=NOW, ttl=60.0, env_file_secret=None).settle(full, now=NOW)
    for cut in [index + 1 for index, byte in enumerate(edited) if byte == 10]:
        try:
            left = load(edited[:cut])
        except ConfigError:
            continue
        assert left == full or review(state, left, now=NOW + 1)
