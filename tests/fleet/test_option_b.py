"""Option B of the runbook, word for word: twenty rotations under load, and no client sees an error."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.fleet.harness import Fleet
from tests.server.harness import kid_of

Make = Callable[..., Fleet]
Record = Callable[..., None]


def rotate(fleet: Fleet, roll: Callable[[], None], old: int, new: int) -> None:
    """Do steps 2 to 6 of the runbook."""
    fleet.ship_kids(old, new)
    roll()
    assert fleet.sealing_kids() == [new] * 3
    fleet.wait_one_ttl()
    fleet.ship_kids(new)
    roll()
    assert fleet.sealing_kids() == [new] * 3


def test_five_rotations_by_rolling_restart_and_no_client_sees_an_error(make_fleet: Make, record: Record) -> None:
    fleet = make_fleet(ttl=3)
    with fleet.clients_who_see_no_error([fleet.haproxy]) as clients:
        for kid in range(5):
            rotate(fleet, fleet.roll_by_restart, kid, kid + 1)
    record(clients.figures(), rotations=5)


def test_fifteen_rotations_by_reload_and_no_client_sees_an_error(make_fleet: Make, record: Record) -> None:
    fleet = make_fleet(ttl=3)
    with fleet.clients_who_see_no_error(fleet.everywhere) as clients:
        for kid in range(15):
            rotate(fleet, fleet.roll_by_reload, kid, kid + 1)
    record(clients.figures(), rotations=15)


def test_two_rotations_begun_within_a_second_and_no_client_sees_an_error(make_fleet: Make) -> None:
    """The last instance meets the second new kid right after the first, from many clients at once."""
    fleet = make_fleet(ttl=60)
    a, b, c = fleet.instances
    fleet.ship(fleet.key(0), fleet.key(1), to=[a])
    fleet.ship(fleet.key(0), fleet.key(1), fleet.key(2), to=[b])
    fleet.reload(a, b)
    first, second = a.transform(), b.transform()
    assert (kid_of(first), kid_of(second)) == (1, 2)
    fleet.ship_kids(0, 1)
    assert c.opens(first)
    fleet.ship_kids(0, 1, 2)
    with ThreadPoolExecutor(16) as clients:
        opened = list(clients.map(c.opens, [second] * 16))
    assert all(opened), f"{opened.count(False)} of 16 clients were told to transform again"
