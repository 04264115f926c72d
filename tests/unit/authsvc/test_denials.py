"""Refusals in the audit log: the first at once, the rest by their number, never a flood."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from authsvc.audit import STRANGER, Actor, ActorKind
from authsvc.denials import (
    KINDS_MAX,
    REST_OF_ORGANIZATIONS_MAX,
    WINDOW_S,
    Denial,
    Denials,
    entry_of,
)

ROUTE = Denial(
    actor=STRANGER, organization_id=None, address="192.0.2.1", route="route:GET /x", status=401
)


def test_the_first_is_a_row_at_once_and_those_that_follow_are_counted_in_the_next() -> None:
    denials = Denials()

    first = denials.note(ROUTE, now=0.0)
    within = [denials.note(ROUTE, now=now) for now in (0.0, 5.0, WINDOW_S - 0.001)]
    after = denials.note(ROUTE, now=WINDOW_S)

    assert (first, within, after) == ([(ROUTE, 1)], [[], [], []], [(ROUTE, 4)])


def test_what_was_counted_is_told_with_the_refusal_of_anyone() -> None:
    denials = Denials()
    other = replace(ROUTE, address="192.0.2.2")
    denials.note(ROUTE, now=0.0)
    denials.note(ROUTE, now=1.0)

    due = denials.note(other, now=WINDOW_S)
    again = denials.note(ROUTE, now=WINDOW_S + 1)

    assert due == [(ROUTE, 1), (other, 1)]
    assert again == []  # its window began with the row


def test_beyond_so_many_kinds_all_are_one() -> None:
    denials = Denials()
    kinds = [replace(ROUTE, address=f"2001:db8::{n:x}") for n in range(3 * KINDS_MAX)]

    rows = [row for kind in kinds for row in denials.note(kind, now=0.0)]

    assert len(rows) == KINDS_MAX + 1
    anyone = replace(ROUTE, address="", route="route:*")
    assert rows[-1] == (anyone, 1)
    assert denials.note(ROUTE, now=WINDOW_S)[0] == (anyone, 2 * KINDS_MAX - 1)


def tried(organization_id: str, user_id: str, number: int) -> Denial:
    return Denial(
        actor=Actor(kind=ActorKind.USER, id=user_id),
        organization_id=organization_id,
        address="",
        route=f"route:GET /{number}",
        status=403,
    )


def test_whatever_others_do_an_organization_has_a_row_of_what_its_users_try() -> None:
    denials = Denials()
    for one in ("evil-1", "evil-2", "evil-3", "evil-4"):
        for number in range(3 * KINDS_MAX):
            denials.note(tried(one, f"user{number % 7}", number), now=0.0)

    of_acme = [denials.note(tried("acme", user, 1), now=1.0) for user in ("luis", "mallory")]

    rest = replace(tried("acme", "", 1), route="route:*")
    assert of_acme == [[(rest, 1)], []]
    assert (rest, 1) in denials.note(tried("acme", "luis", 1), now=1.0 + WINDOW_S)


def test_one_organization_leaves_room_for_the_kinds_of_the_others() -> None:
    denials = Denials()
    for number in range(3 * KINDS_MAX):
        denials.note(tried("evil", "mallory", number), now=0.0)

    assert denials.note(tried("acme", "luis", 1), now=0.0) == [(tried("acme", "luis", 1), 1)]


def test_beyond_so_many_organizations_the_rest_of_all_is_one() -> None:
    denials = Denials()

    rows = [
        row
        for number in range(10 * KINDS_MAX)
        for user_id in ("ana", "luis")
        for row in denials.note(tried(f"o{number}", user_id, number), now=0.0)
    ]

    anyone = replace(tried("", "", 1), organization_id=None, route="route:*")
    assert len(rows) == KINDS_MAX + REST_OF_ORGANIZATIONS_MAX + 1
    assert rows[-1] == (anyone, 1)


def test_a_row_says_whom_what_and_how_often_and_of_a_stranger_the_address() -> None:
    ana = replace(
        ROUTE,
        actor=Actor(kind=ActorKind.USER, id="ana"),
        organization_id="acme",
        address="",
        status=403,
    )

    stranger, known = entry_of(ROUTE, 3), entry_of(ana, 1)

    assert (stranger.actor, stranger.organization_id) == (STRANGER, None)
    assert stranger.after == {"status": 401, "count": 3, "address": "192.0.2.1"}
    assert (known.action, known.target) == ("access.denied", "route:GET /x")
    assert (known.organization_id, known.after) == ("acme", {"status": 403, "count": 1})


ORGANIZATIONS = st.none() | st.sampled_from(["acme", "bazar"])


@given(st.lists(st.tuples(st.integers(0, 100), ORGANIZATIONS, st.floats(0, 4))))
def test_every_refusal_is_told_once_and_no_kind_twice_within_a_window(
    refusals: list[tuple[int, str | None, float]],
) -> None:
    denials = Denials()
    now = 0.0
    told: dict[Denial, float] = {}
    count = 0

    for who, organization_id, later in refusals:
        now += later
        denial = replace(ROUTE, address=str(who), organization_id=organization_id)
        for kind, refused in denials.note(denial, now=now):
            assert kind not in told or now - told[kind] >= WINDOW_S
            assert refused > 0
            told[kind] = now
            count += refused

    # And what is left is told by whoever comes last.
    left = denials.note(replace(ROUTE, address="last"), now=now + WINDOW_S)
    assert count + sum(refused for _, refused in left) == len(refusals) + 1
