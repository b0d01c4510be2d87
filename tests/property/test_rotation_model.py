"""The whole life of keys on a fleet: no client loses a session, no instance refuses a file, revoked means revoked.

Files, commands, main processes and workers' sources are the real ones; clocks, signals, HTTP between hosts and the
processes themselves are not there (``rotation_fleet.py``). In any order: the administrator edits on the first instance;
versions of the file reach the others, some of them never; instances reload, restart, are killed and stay down; time
passes, from an eighth of a second to more than two lifetimes, or up to the very moment when something is due; clients
start sessions, carry them on and open them anywhere. After every step:

1. every session that has not expired by the clock of an instance can be opened there, unless its key was revoked;
2. a key that all instances call safe to remove has no session that has not expired by the clock of any of them;
3. an instance that has taken the revocation of a key never opens with it again;
4. a reload is never refused and never fails;
5. the file can be read, and after ``rollback`` the key seals in it that sealed in the backup.

What is assumed, beside what ``docs/key-rotation.md`` lists, each a precondition of a rule:

- The clocks differ by at most ``CLOCK_DIFFERENCE_SECONDS`` and are steady.
- File first: an instance takes a file, by a reload or a start, only when the key that this makes seal there stands in
  the file of every instance. One that waits for its time stands there before the first clock says that it has come.
- Files arrive whole, and never an older one after a newer.
- Commands run on one host; ``remove`` and ``prune`` name every instance.
- A request takes no time: no reload falls between the moment that its expiry is counted from and its sealing.
- ``session.keyring`` is edited by commands other than ``remove --force`` only; ``session.ttl_seconds`` by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from oguardai.cli.failure import ExitCode
from oguardai.keyring import KeyState
from oguardai.state import CLOCK_DIFFERENCE_SECONDS
from tests.cli.harness import Outcome
from tests.property.rotation_fleet import EIGHTH, Fleet, Instance

TTL = 40  # seconds
LARGEST = 3  # instances
EDITS = (
    *("rotate", "rotate", "rotate --activate-in=3s", "rotate --activate-in=30s", "add --staged"),
    *("activate", "activate", "rollback", "rollback", "ttl", "revoke"),
)
INCIDENTS = ("ship", "take", "take late", "tick", "tick unsettled", "stop", "crash", "restart", "crash and start")
number = st.integers(0, 63)
place = st.integers(0, LARGEST - 1)
offset = st.integers(0, int(CLOCK_DIFFERENCE_SECONDS / EIGHTH)).map(EIGHTH.__mul__)


class Rotation(RuleBasedStateMachine):
    """One fleet; every rule can be applied at any time and does nothing where it makes no sense."""

    reached: ClassVar[Counter[str]] = Counter()  # by all runs together

    def __init__(self) -> None:
        super().__init__()
        self.fleet: Fleet | None = None

    @initialize(offsets=st.lists(offset, min_size=2, max_size=LARGEST), from_env=st.booleans())
    def begin(self, offsets: list[float], from_env: bool) -> None:
        self.fleet = Fleet(offsets, ttl=TTL, from_env=from_env)
        if from_env:
            assert self.fleet.command("adopt").code == 0

    def teardown(self) -> None:
        if self.fleet is not None:
            for name in self.fleet.reached:
                event(name)
            self.reached.update(self.fleet.reached)
            self.fleet.close()

    @property
    def _fleet(self) -> Fleet:
        assert self.fleet is not None
        return self.fleet

    def _instance(self, place: int) -> Instance:
        return self._fleet.instances[place % len(self._fleet.instances)]

    def _kid(self, number: int) -> str:
        keys = self._fleet.rings[-1].keys
        return str(keys[-1 - number % len(keys)].kid)

    # -- the administrator ------------------------------------------------------------------------------

    @rule(
        what=st.sampled_from(EDITS),
        number=number,
        prepared=st.sampled_from((True, True, True, False)),
        spread=st.sampled_from(("no", "ship", "one", "all", "all")),
        order=st.permutations(range(LARGEST)),
        how=st.sampled_from(("reload", "restart", "kill")),
    )
    def edit(self, *, what: str, number: int, prepared: bool, spread: str, order: Sequence[int], how: str) -> None:
        """Edit the file and bring it so far: nowhere, to all instances, in force on one of them, or on all."""
        fleet = self._fleet
        if prepared and fleet.may_take_file(fleet.admin):
            fleet.take_file(fleet.admin)
            fleet.check()
        if what == "rollback":
            fleet.rollback()
        elif what == "ttl":
            fleet.set_ttl((TTL, TTL // 2, TTL * 2)[number % 3])
        elif what == "activate":
            fleet.command("activate", self._kid(number))
        elif what == "revoke":
            if number >= 32:
                fleet.command("revoke", "--no-reload", self._kid(number))
        else:
            fleet.command(*what.split())
        if spread != "no":
            fleet.check()
            fleet.ship_everywhere()
        if spread in ("one", "all"):
            instances = [fleet.instances[one] for one in order if one < len(fleet.instances)]
            for one in instances if spread == "all" else instances[:1]:
                if fleet.may_take_file(one):
                    self._take_under_load(one, how)

    def _take_under_load(self, instance: Instance, how: str) -> None:
        """Let an instance take its file while clients use it; what it seals then is opened on all."""
        if instance.is_up:
            self._fleet.seal(instance)
            if how == "restart":
                instance.stop()
            elif how == "kill":
                instance.crash()
        self._fleet.take_file(instance)
        self._fleet.check()
        held = self._fleet.seal(instance)
        assert held is not None
        for other in self._fleet.instances:
            if other.is_up:
                self._fleet.open(other, held)

    @rule(number=number, prune=st.booleans(), wait=st.booleans())
    def remove(self, number: int, prune: bool, wait: bool) -> None:
        """Take a key out, or all that can go; after all that is due now has come, if ``wait``."""
        moments = self._fleet.moments()
        if wait and moments:
            self._fleet.pass_time(moments[-1])
            self._fleet.check()
        self._fleet.remove(*(("prune",) if prune else ("remove", self._kid(number))))

    # -- the instances ----------------------------------------------------------------------------------

    @rule(place=place, what=st.sampled_from(INCIDENTS), number=number)
    def happen(self, place: int, what: str, number: int) -> None:
        """Do something to one instance, or let it happen."""
        one = self._instance(place)
        if what == "ship":
            newer = len(self._fleet.versions) - 1 - one.version
            if newer:
                self._fleet.ship(one, one.version + 1 + number % newer)
        elif what.startswith("take"):
            if self._fleet.may_take_file(one):
                self._fleet.take_file(one, late=what == "take late")
        elif not one.is_up:
            return
        elif what.startswith("tick"):
            one.tick(acknowledged=what == "tick")
        else:
            one.crash() if what.startswith("crash") else one.stop()
            if what.endswith("start") and self._fleet.may_take_file(one):
                one.start()

    @rule(eighths=st.integers(1, 24) | st.integers(1, int(2 * TTL / EIGHTH)))
    def pass_time(self, eighths: int) -> None:
        self._fleet.pass_time(eighths * EIGHTH)

    @rule(number=number, eighths=st.integers(-1, 1))
    def pass_until(self, number: int, eighths: int) -> None:
        """Let time pass up to a moment at which something is due, or just before or after it."""
        moments = self._fleet.moments()
        if moments:
            self._fleet.pass_time(max(EIGHTH, moments[number % len(moments)] + eighths * EIGHTH))

    # -- the clients ------------------------------------------------------------------------------------

    @rule(place=place, what=st.sampled_from(("start", "carry on", "open", "open")), number=number)
    def use(self, place: int, what: str, number: int) -> None:
        """Start a session, carry one on, or open one."""
        one = self._instance(place)
        if not one.is_up:
            return
        held = self._fleet.held[-1 - number % len(self._fleet.held)] if self._fleet.held else None
        if what == "open" and held is not None:
            self._fleet.open(one, held)
        else:
            self._fleet.seal(one, held if what == "carry on" else None)

    @invariant()
    def holds(self) -> None:
        if self.fleet is not None:
            self.fleet.check()


def test_no_order_of_events_loses_a_session() -> None:
    """Run many; the names are what a run must come by to be worth something."""
    Rotation.reached.clear()
    run_state_machine_as_test(
        Rotation,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
    expected = {"safe to remove", "a kid that is not known", "refused: ttl", "keyring rotate", "keyring rollback"}
    assert expected <= set(Rotation.reached), Rotation.reached


# -- runs that are written down -------------------------------------------------------------------------------


@pytest.fixture
def make() -> Iterator[Callable[..., Fleet]]:
    """Make fleets that are cleared away afterwards."""
    made: list[Fleet] = []

    def make_one(*offsets: float, from_env: bool = False) -> Fleet:
        made.append(Fleet(offsets, ttl=TTL, from_env=from_env))
        return made[-1]

    yield make_one
    for fleet in made:
        fleet.close()


def done(outcome: Outcome) -> None:
    assert outcome.code == 0, outcome


def take_everywhere(fleet: Fleet) -> None:
    fleet.ship_everywhere()
    for one in fleet.instances:
        assert fleet.may_take_file(one)
        fleet.take_file(one)
        fleet.check()


def wait_until_safe(fleet: Fleet, kid: int) -> None:
    for one in fleet.instances:
        one.tick()
    entries = [one.facts().entry(kid) for one in fleet.instances]
    moments = [entry["safe_to_remove_at"] for entry in entries if entry is not None]
    fleet.pass_time(max(moment - one.now for moment, one in zip(moments, fleet.instances, strict=True)))
    fleet.check()


def test_a_rotation_from_the_single_secret_to_the_last_trace_of_it(make: Callable[..., Fleet]) -> None:
    fleet = make(0.0, CLOCK_DIFFERENCE_SECONDS, 2.5, from_env=True)
    first, ahead, third = fleet.instances
    oldest = fleet.seal(third)
    assert oldest is not None
    done(fleet.command("adopt"))
    take_everywhere(fleet)

    # A session of the new key on an instance that has the file and was not reloaded.
    done(fleet.command("rotate"))
    fleet.ship_everywhere()
    first.reload()
    held = fleet.seal(first)
    assert held is not None
    assert held.kid == 1
    assert ahead.ring().find(1) is None
    assert fleet.open(ahead, held) == "opened"
    looked = ahead.ring().find(1)
    assert looked is not None
    assert (looked.state, ahead.ring().active_kid(ahead.now)) == (KeyState.STAGED, 0)

    # Back in the middle of it: one instance seals with the new key, one knows it, one has not heard of it.
    done(fleet.rollback())
    fleet.ship_everywhere()
    third.reload()
    assert third.ring().active_kid(third.now) == 0
    assert first.ring().active_kid(first.now) == 1
    ahead.crash()
    ahead.start()
    first.reload()
    for one in fleet.instances:
        sealed = fleet.seal(one)
        assert sealed is not None
        assert sealed.kid == 0
        assert fleet.open(one, held) == fleet.open(one, oldest) == "opened"
        fleet.check()

    # The same moment on every clock is not the same moment.
    done(fleet.command("rotate", "--activate-in=30s"))
    take_everywhere(fleet)
    pending = fleet.rings[-1].find(2)
    assert pending is not None
    assert pending.not_before is not None
    fleet.pass_time(pending.not_before - ahead.now)
    assert [one.ring().active_kid(one.now) for one in fleet.instances] == [0, 2, 0]
    assert fleet.reached["some switched, some did not yet"] == 1
    early, late = fleet.seal(ahead), fleet.seal(first)
    assert early is not None
    assert late is not None
    assert (early.kid, late.kid) == (2, 0)
    fleet.pass_time(2.5)
    assert [one.ring().active_kid(one.now) for one in fleet.instances] == [0, 2, 2]
    assert {fleet.open(one, held) for one in fleet.instances for held in (early, late)} == {"opened"}
    fleet.pass_time(2.5)
    assert [one.ring().active_kid(one.now) for one in fleet.instances] == [2, 2, 2]

    # The old key goes, not a moment too early: while it is not safe, nothing is written.
    for one in fleet.instances:
        one.tick()
    version = len(fleet.versions)
    done(fleet.remove("prune"))
    assert len(fleet.versions) == version
    wait_until_safe(fleet, 0)
    done(fleet.remove("prune"))
    assert [key.kid for key in fleet.rings[-1].keys] == [1, 2]
    take_everywhere(fleet)
    assert fleet.reached["keyring prune"] == 1
    assert {fleet.open(one, late) for one in fleet.instances} == {"unknown_kid"}

    # What is revoked stays so.
    last = fleet.seal(first)
    assert last is not None
    done(fleet.command("revoke", "--no-reload", "2"))
    fleet.ship_everywhere()
    assert fleet.open(third, last) == "opened"
    third.reload()
    assert fleet.open(third, last) == "revoked"
    third.crash()
    third.start()
    assert fleet.open(third, last) == "revoked"
    fleet.rollback()
    take_everywhere(fleet)
    assert {fleet.open(one, last) for one in fleet.instances} == {"revoked"}


@pytest.mark.parametrize("kill", [False, True], ids=["reloaded", "killed"])
@pytest.mark.parametrize("ttl", [TTL, TTL // 4, TTL * 2])
def test_no_key_is_called_safe_while_a_clock_that_is_behind_has_a_session_of_it(
    make: Callable[..., Fleet], ttl: int, kill: bool
) -> None:
    fleet = make(0.0, CLOCK_DIFFERENCE_SECONDS, CLOCK_DIFFERENCE_SECONDS)
    done(fleet.command("rotate"))
    fleet.set_ttl(ttl)
    fleet.ship_everywhere()
    for one in fleet.instances:
        fleet.pass_time(1.0)  # each goes on sealing with the old key for that much longer than the one before
        fleet.seal(one)
        if kill:
            one.crash()
        fleet.take_file(one)
    last = max(fleet.latest_expiry.values()) / 1000 - fleet.admin.now
    for _ in range(int(last / EIGHTH) - 1):
        fleet.pass_time(EIGHTH)
        fleet.check()
    assert "safe to remove" not in fleet.reached
    fleet.pass_time(EIGHTH)
    fleet.check()
    assert fleet.reached["safe to remove"] == 1  # at the very moment at which the last clock says that all is over


def test_the_instance_that_sealed_last_decides(make: Callable[..., Fleet]) -> None:
    fleet = make(0.0, 0.0)
    late = fleet.instances[1]
    done(fleet.command("rotate"))
    fleet.ship_everywhere()
    fleet.admin.reload()
    fleet.pass_time(TTL / 2)
    held = fleet.seal(late)
    assert held is not None
    late.reload()
    entry = fleet.admin.facts().entry(0)
    assert entry is not None
    fleet.pass_time(entry["safe_to_remove_at"] - fleet.admin.now)
    done(fleet.remove("prune"))
    assert fleet.rings[-1].find(0) is not None
    assert fleet.open(fleet.admin, held) == fleet.open(late, held) == "opened"
    wait_until_safe(fleet, 0)
    done(fleet.remove("prune"))
    assert fleet.rings[-1].find(0) is None
    take_everywhere(fleet)


def test_rollback_goes_back_and_forth(make: Callable[..., Fleet]) -> None:
    fleet = make(0.0, 0.0)
    done(fleet.command("rotate"))
    take_everywhere(fleet)
    done(fleet.command("activate", "0"))
    for kid in (1, 0, 1):
        done(fleet.rollback())
        take_everywhere(fleet)
        sealed = [fleet.seal(one) for one in fleet.instances]
        assert {held.kid for held in sealed if held is not None} == {kid}
        assert {fleet.open(one, held) for one in fleet.instances for held in fleet.held} == {"opened"}


# -- what an earlier form of the commands got wrong ----------------------------------------------------------------


def test_the_kid_of_a_removed_key_is_not_given_again(make: Callable[..., Fleet]) -> None:
    fleet = make(0.0, 0.0)
    done(fleet.command("add", "--staged"))
    take_everywhere(fleet)
    fleet.pass_time(10 * TTL)
    assert fleet.remove("remove", "1").code == ExitCode.FAILED, "it is the highest kid"
    done(fleet.command("rotate"))
    fleet.ship_everywhere()
    fleet.admin.reload()
    held = fleet.seal(fleet.admin)
    assert held is not None
    assert held.kid == 2
    assert fleet.open(fleet.instances[1], held) == "opened"


def test_a_key_stays_while_an_instance_has_yet_to_meet_it(make: Callable[..., Fleet]) -> None:
    fleet = make(0.0, 0.0)
    for _ in range(2):
        done(fleet.command("rotate"))
        fleet.ship_everywhere()
        fleet.admin.reload()
    fleet.pass_time(10 * TTL)
    assert fleet.remove("remove", "1").code == ExitCode.FAILED, "the late instance does not have the keyring yet"
    late = fleet.instances[1]
    late.reload()
    assert fleet.remove("remove", "1").code == ExitCode.FAILED, "it has met the key only now"


def test_a_revocation_leaves_a_key_that_seals_where_the_clock_is_behind(make: Callable[..., Fleet]) -> None:
    fleet = make(CLOCK_DIFFERENCE_SECONDS, 0.0)
    done(fleet.command("rotate", "--activate-in=3s"))
    take_everywhere(fleet)
    pending = fleet.rings[-1].find(1)
    assert pending is not None
    assert pending.not_before is not None
    fleet.pass_time(pending.not_before - fleet.admin.now)
    done(fleet.command("revoke", "--no-reload", "0"))
    take_everywhere(fleet)
