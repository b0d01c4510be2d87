"""Rotations that do not go by the book: late, staged, rolled back, at a set time, with clocks that differ."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.fleet.harness import Fleet
from tests.server.harness import kid_of, wait_for

Make = Callable[..., Fleet]
Record = Callable[..., None]


def in_seconds(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def take_out_the_old_key(fleet: Fleet, roll: Callable[[], None], new: int = 1) -> None:
    """Do steps 4 to 6 of the runbook."""
    fleet.wait_one_ttl()
    fleet.ship_kids(new)
    roll()
    assert fleet.sealing_kids() == [new] * 3


def test_a_set_time_switches_every_instance_at_once_and_no_client_sees_an_error(
    make_fleet: Make, record: Record
) -> None:
    fleet = make_fleet()
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        soon = in_seconds(6)
        fleet.ship(fleet.key(0), fleet.key(1, not_before=soon.isoformat()))
        fleet.roll_by_reload()
        kids = fleet.sealing_kids()
        if datetime.now(UTC) < soon:
            assert kids == [0, 0, 0]
        wait_for(lambda: fleet.sealing_kids()[0] == 1, "the time to come")
        assert datetime.now(UTC) >= soon
        assert fleet.sealing_kids() == [1, 1, 1], "one and the same moment"
        fleet.wait_for_the_set_time()
        take_out_the_old_key(fleet, fleet.roll_by_reload)
    record(clients.figures(), rotations=1)


@pytest.mark.parametrize("way", ["reload", "restart"])
def test_a_key_that_is_staged_first_and_made_active_later_costs_no_client_an_error(
    make_fleet: Make, record: Record, way: str
) -> None:
    fleet = make_fleet()
    roll = fleet.roll_by_reload if way == "reload" else fleet.roll_by_restart
    targets = fleet.everywhere if way == "reload" else [fleet.haproxy]
    with fleet.clients_who_see_no_error(targets) as clients:
        fleet.ship(fleet.key(0), fleet.key(1, state="staged"))
        roll()
        assert fleet.sealing_kids() == [0, 0, 0]
        fleet.ship_kids(0, 1)
        roll()
        assert fleet.sealing_kids() == [1, 1, 1]
        take_out_the_old_key(fleet, roll)
    record(clients.figures(), rotations=1)


def test_a_rotation_taken_back_half_way_costs_no_client_an_error(make_fleet: Make, record: Record) -> None:
    fleet = make_fleet(ttl=8)
    a, b, _ = fleet.instances
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        fleet.ship_kids(0, 1)
        fleet.reload(a, b)
        assert fleet.sealing_kids() == [1, 1, 0]
        clients.wait_for_turns(5)
        sealed = a.transform()
        fleet.ship(fleet.key(0), fleet.key(1, state="staged"))
        for instance in fleet.instances:
            fleet.reload(instance)
            assert kid_of(instance.transform()) == 0
            clients.wait_for_turns(3)
        assert kid_of(sealed) == 1
        assert all(instance.opens(sealed) for instance in fleet.instances), "it never seals again, but it opens"
        fleet.wait_one_ttl()
        fleet.ship_kids(0)
        fleet.roll_by_reload()
        clients.wait_for_turns(3)
    record(clients.figures())


def test_an_instance_that_is_a_minute_late_costs_no_client_an_error(make_fleet: Make, record: Record) -> None:
    fleet = make_fleet(ttl=20)
    a, b, c = fleet.instances
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        fleet.ship_kids(0, 1)
        fleet.reload(a, b)
        due = time.monotonic() + 60
        assert fleet.sealing_kids() == [1, 1, 0]
        time.sleep(fleet.ttl + 5)
        # To whoever looks at this instance alone the old key may go. The sessions that it opens tell it otherwise.
        fleet.ship(fleet.key(1), to=[a])
        early = a.reload()
        assert early.returncode == 1
        assert "kid 0" in early.stderr
        fleet.ship(fleet.key(0), fleet.key(1), to=[a])
        time.sleep(max(0.0, due - time.monotonic()))
        assert fleet.sealing_kids() == [1, 1, 0]
        assert "event=NewKidsTaken" in c.log(), "it has opened sessions of the others all the while"
        fleet.reload(a, c)
        assert fleet.sealing_kids() == [1, 1, 1]
        take_out_the_old_key(fleet, fleet.roll_by_reload)
    record(clients.figures(), rotations=1)


def test_an_instance_that_misses_the_set_time_costs_no_client_an_error(make_fleet: Make, record: Record) -> None:
    fleet = make_fleet(ttl=6)
    a, b, c = fleet.instances
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        soon = in_seconds(4)
        fleet.ship(fleet.key(0), fleet.key(1, not_before=soon.isoformat()))
        fleet.reload(a, b)
        wait_for(lambda: fleet.sealing_kids()[:2] == [1, 1], "the time to come")
        time.sleep(10)
        assert kid_of(c.transform()) == 0
        fleet.reload(c)
        assert kid_of(c.transform()) == 1
        take_out_the_old_key(fleet, fleet.roll_by_reload)
    record(clients.figures(), rotations=1)


def test_clocks_four_seconds_apart_cost_no_client_an_error(make_fleet: Make, record: Record) -> None:
    clocks = (-2.0, 0.0, 2.0)
    fleet = make_fleet(ttl=10, clocks=clocks)
    for instance, clock in zip(fleet.instances, clocks, strict=True):
        began = time.time()
        date = instance.date()  # in whole seconds
        assert began + clock - 1 <= date <= time.time() + clock, "its clock is really off"
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        soon = in_seconds(7)
        fleet.ship(fleet.key(0), fleet.key(1, not_before=soon.isoformat()))
        fleet.roll_by_reload()
        kids: list[int] = []

        def all_have_switched() -> bool:
            kids.clear()
            for instance, clock in zip(fleet.instances, clocks, strict=True):
                began = time.time() + clock
                kids.append(kid_of(instance.transform()))
                ended = time.time() + clock
                if kids[-1] == 1:
                    assert ended >= soon.timestamp(), f"{instance.name} seals with it before its own clock says so"
                else:
                    assert began < soon.timestamp() + 0.1, f"{instance.name} does not when its own clock says so"
            return kids == [1, 1, 1]

        wait_for(all_have_switched, "the time to come by each clock")
        fleet.wait_for_the_set_time()
        take_out_the_old_key(fleet, fleet.roll_by_reload)
    record(clients.figures(), rotations=1)


def test_a_conversation_goes_on_from_before_a_rotation_until_after_the_old_key_is_gone(
    make_fleet: Make, record: Record
) -> None:
    fleet = make_fleet()
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        clients.wait_for_turns(5)
        before = {id(client): client.conversation for client in clients.clients}
        assert all(one and one.first_kid == "0" for one in before.values())
        fleet.ship_kids(0, 1)
        fleet.roll_by_reload()
        take_out_the_old_key(fleet, fleet.roll_by_reload)
        clients.wait_for_turns(10)
    assert len(clients.conversations) == len(clients.clients)
    for conversation in clients.conversations:
        assert (conversation.first_kid, conversation.kid) == ("0", "1"), "the same session, now under the new key"
        assert conversation.turns > 10
    record(clients.figures(), rotations=1)
