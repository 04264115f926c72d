"""The records that are known, as many as there is room for."""

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.changes import Change
from authsvc.records import ABSENT, Records

ORGANIZATION = OrganizationRecord(is_active=True)


def user(organization_id: str = "o1", *, held: int = 0) -> UserRecord:
    return UserRecord(
        organization_id=organization_id,
        is_active=True,
        locals=frozenset(f"l{i}" for i in range(held)),
        permissions=(),
    )


def local(organization_id: str = "o1") -> LocalRecord:
    return LocalRecord(organization_id=organization_id, name="L", is_active=True)


def two_organizations() -> Records:
    """o1 and o2, each with a user and a local of its number; u9 and l9 are known not to exist."""
    records = Records(weight_max=1_000)
    for n in ("1", "2"):
        records.put_organization(f"o{n}", ORGANIZATION)
        records.put_user(f"u{n}", user(f"o{n}"))
        records.put_local(f"l{n}", local(f"o{n}"))
    records.put_user("u9", None)
    records.put_local("l9", None)
    return records


def known(records: Records) -> set[str]:
    users, organizations, locals_ = ("u1", "u2", "u9"), ("o1", "o2"), ("l1", "l2", "l9")
    found = [
        *zip(users, records.users(users), strict=True),
        *zip(organizations, records.organizations(organizations), strict=True),
        *zip(locals_, records.locals(locals_), strict=True),
    ]
    return {record_id for record_id, record in found if record is not ABSENT}


EVERYTHING = {"u1", "u2", "u9", "o1", "o2", "l1", "l2", "l9"}


def after(*, user_id: str | None = None, local_id: str | None = None) -> set[str]:
    """What is forgotten by this change of o1."""
    records = two_organizations()
    change = Change(revision=1, organization_id="o1", user_id=user_id, local_id=local_id)
    records.drop([change])
    return EVERYTHING - known(records)


def test_what_is_put_is_found_and_what_is_not_is_absent() -> None:
    records = two_organizations()

    assert known(records) == EVERYTHING
    assert records.users(["u1", "u9", "u8"]) == [user(), None, ABSENT]
    assert records.locals(["l1", "l8"]) == [local(), ABSENT]
    assert records.organizations(["o8", "o1"]) == [ABSENT, ORGANIZATION]


def test_a_change_drops_what_it_touched_and_nothing_else() -> None:
    assert after(user_id="u1") == {"u1"}
    assert after(user_id="u1", local_id="l1") == {"u1"}
    assert after(local_id="l1") == {"l1"}
    assert after(user_id="u9") == {"u9"}


def test_a_change_of_an_organization_drops_all_of_it_and_whatever_did_not_exist() -> None:
    assert after() == {"o1", "u1", "l1", "u9", "l9"}


def test_what_was_dropped_in_one_generation_is_not_found_in_the_other() -> None:
    records = Records(weight_max=4)
    records.put_user("u1", user())
    records.put_user("u2", user())
    records.put_user("u3", user())  # the first two are old now
    records.drop([Change(revision=1, organization_id="o1", user_id="u1")])

    assert records.users(["u1", "u2", "u3"]) == [ABSENT, user(), user()]


def test_what_is_asked_for_outlives_what_is_not() -> None:
    records = Records(weight_max=6)
    for user_id in ("a", "b", "c"):
        records.put_user(user_id, user())
    records.put_user("d", user())  # a, b and c grow old
    assert records.users(["a"]) == [user()]  # and a is young again
    records.put_user("e", user())
    records.put_user("f", user())  # b and c are gone

    assert records.users(["a", "b", "c", "e", "f"]) == [user(), ABSENT, ABSENT, user(), user()]


def test_an_old_record_is_found_though_there_is_no_room_among_the_young() -> None:
    records = Records(weight_max=6)
    records.put_user("a", user(held=2))
    records.put_user("b", user(held=1))

    assert records.users(["a", "b"]) == [user(held=2), user(held=1)]
    assert records.weight == 5


def test_locals_and_permissions_weigh_as_much_as_records() -> None:
    records = Records(weight_max=100)
    records.put_user(
        "u",
        UserRecord(
            organization_id="o1",
            is_active=True,
            locals=frozenset({"l1", "l2"}),
            permissions=("a:b", "c:d", "e:f"),
        ),
    )
    records.put_organization("o1", ORGANIZATION)
    records.put_local("l1", local())

    assert records.weight == 8
    records.put_user("u", user())
    assert records.weight == 3
    records.clear()
    assert records.weight == 0
    assert known(records) == set()


def test_a_record_that_would_push_out_half_of_the_others_is_not_kept() -> None:
    records = Records(weight_max=10)
    records.put_user("huge", user(held=5))
    records.put_user("large", user(held=4))

    assert records.users(["huge", "large"]) == [ABSENT, user(held=4)]


def test_a_new_record_replaces_an_old_one() -> None:
    records = Records(weight_max=4)
    records.put_user("u1", None)
    records.put_user("u2", user())
    records.put_organization("o1", None)
    records.put_local("l1", None)
    records.put_user(
        "u1",
        user(),
    )
    records.put_organization("o1", ORGANIZATION)
    records.put_local("l1", local())

    assert records.organizations(["o1"]) == [ORGANIZATION]
    assert records.locals(["l1"]) == [local()]
    assert records.weight <= 4


def test_all_being_known_is_never_said_of_what_is_not() -> None:
    records = two_organizations()

    assert records.has_all(["u1", "u9"], ["o1"], ["l1", "l2"])
    assert not records.has_all(["u1", "u8"], ["o1"], ["l1"])
    assert not records.has_all(["u1"], ["o8"], ["l1"])
    assert not records.has_all(["u1"], ["o1"], ["l8"])
