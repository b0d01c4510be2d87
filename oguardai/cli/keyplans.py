"""Which changes of the keyring a command makes: pure, from the keys as they are and the time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from oguardai.cli.changes import Add, Change, ClearNotBefore, MoveLast, Restore, SetState
from oguardai.cli.failure import Failure
from oguardai.keyring import MAX_KID, Key, Keyring, KeyState, generate_secret
from oguardai.state import CLOCK_DIFFERENCE_SECONDS


def find_key(ring: Keyring, kid: int) -> Key:
    """Return a key; raises Failure when there is none with that kid."""
    key = ring.find(kid)
    if key is None:
        raise Failure(f"there is no kid {kid} in the keyring, only {', '.join(str(one.kid) for one in ring.keys)}")
    return key


def plan_addition(ring: Keyring, highest: int, *, not_before: float | None = None, staged: bool = False) -> Add:
    """Return the change that adds a new key at the end.

    Args:
        highest: the highest kid that any key has had, as far as is known: sessions may bear it yet.

    Raises:
        Failure: there is no kid left.
    """
    kid = max(highest, *(key.kid for key in ring.keys)) + 1
    if kid > MAX_KID:
        raise Failure("the highest kid there can be is in use")
    return Add(kid, generate_secret(), KeyState.STAGED if staged else KeyState.IN_USE, not_before)


def find_pending(ring: Keyring, now: float) -> Key | None:
    """Return a key that waits for its time to seal."""
    waiting = (key for key in ring.keys if key.state is KeyState.IN_USE and not key.can_seal(now))
    return next(waiting, None)


def plan_activation(ring: Keyring, kid: int, now: float) -> list[Change]:
    """Return the changes that let a key seal from now on; none when it does.

    Raises:
        Failure: there is no such key, or it is revoked.
    """
    key = find_key(ring, kid)
    if not key.opens:
        raise Failure(f"kid {kid} is revoked, and stays so; for a new key: oguardai keyring rotate")
    plan = _Plan(ring)
    if key.state is KeyState.STAGED:
        plan.do(SetState(kid, KeyState.IN_USE))
    if key.not_before is not None and key.not_before > now:
        plan.do(ClearNotBefore(kid))
    if plan.ring.active_kid(now) != kid:
        plan.do(MoveLast(kid))
    return plan.changes


def plan_revocation(ring: Keyring, kid: int, now: float, highest: int) -> list[Change]:
    """Return the changes that revoke a key, with a new one when it is the one that seals; none when it is revoked.

    Raises:
        Failure: there is no such key.
    """
    if not find_key(ring, kid).opens:
        return []
    plan = _Plan(ring)
    if ring.active_kid(now) == kid:  # an earlier key could seal again, but it was on its way out
        plan.do(plan_addition(ring, highest))
    plan.do(SetState(kid, KeyState.REVOKED))
    active = plan.ring.active(now)
    if active.not_before is not None and active.not_before > now - CLOCK_DIFFERENCE_SECONDS:
        plan.do(ClearNotBefore(active.kid))  # a host whose clock is behind must have a key that seals as well
    return plan.changes


def plan_rollback(
    ring: Keyring, before: Keyring, now: float, fields_of: Callable[[int], Mapping[str, str]]
) -> list[Change]:
    """Return the changes that let the key seal that sealed ``before``, and bring back every key that is gone since.

    A key that is new since then, or was not to seal, goes on opening, staged.

    Args:
        fields_of: the fields of a key in the file as it was before.

    Raises:
        Failure: the key is revoked by now, or a kid belongs to another key.
    """
    wanted = before.active(now).kid
    plan = _Plan(ring)
    for old in reversed(before.keys):
        new = ring.find(old.kid)
        if new is None:
            plan.do(Restore(old, fields_of(old.kid)))
        elif new.prk != old.prk:
            raise Failure(f"kid {old.kid} was another key before the last change; nothing was written")
    if not find_key(plan.ring, wanted).opens:
        raise Failure(f"kid {wanted} sealed before the last change, but is revoked, and stays so")
    for key in plan.ring.keys:
        was = before.find(key.kid)
        sealed = was is not None and was.state is KeyState.IN_USE
        if key.state is KeyState.STAGED and sealed:
            plan.do(SetState(key.kid, KeyState.IN_USE))
        elif key.state is KeyState.IN_USE and (was is None or not sealed or was.can_seal(now) < key.can_seal(now)):
            plan.do(SetState(key.kid, KeyState.STAGED))
    if plan.ring.active_kid(now) != wanted:
        plan.do(MoveLast(wanted))
    return plan.changes


class _Plan:
    """Changes one after the other, and the keys as they are after them."""

    def __init__(self, ring: Keyring) -> None:
        self.ring = ring
        self.changes: list[Change] = []

    def do(self, change: Change) -> None:
        self.changes.append(change)
        self.ring = change.apply(self.ring)
