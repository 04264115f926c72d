"""Which entities of a batch may be written; the database's part is in tests/contract/store."""

import pytest

from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.store.admission import Admission, Known, admit, mentions
from svckit.errors import Conflict, NotFound, ServiceError

KNOWN = Known(
    organizations=frozenset({"acme", "bazar"}),
    locals={"centro": "acme", "puerto": "bazar"},
    roles={"cashier": "acme", "guard": "bazar"},
    users={"ana": "acme"},
    emails={("acme", "ana@acme.test"): "ana"},
)


def user(**changes: object) -> User:
    fields: dict[str, object] = {"id": "u", "organization_id": "acme", "email": "u@acme.test"}
    return User(**(fields | changes))  # type: ignore[arg-type] # the fields are of mixed types


def rejection(admission: Admission) -> tuple[int, ServiceError]:
    (only,) = admission.rejections
    return only.index, only.error


def test_nothing_is_admitted_of_an_empty_batch() -> None:
    assert admit([], Known()) == Admission(
        organizations=(), locals=(), roles=(), users=(), rejections=()
    )


def test_what_builds_on_a_later_entity_of_the_batch_is_admitted() -> None:
    batch: list[Entity] = [
        user(organization_id="new", roles=frozenset({"r"}), locals=frozenset({"l"})),
        Role(id="r", organization_id="new", name="R"),
        Local(id="l", organization_id="new", name="L"),
        Organization(id="new", name="New"),
    ]

    admission = admit(batch, Known())

    assert admission.rejections == ()
    assert admission.users == (batch[0],)


def test_what_builds_on_a_rejected_entity_is_rejected_too() -> None:
    batch: list[Entity] = [
        user(locals=frozenset({"l"})),
        Local(id="l", organization_id="nowhere", name="L"),
    ]

    admission = admit(batch, KNOWN)

    assert [each.index for each in admission.rejections] == [0, 1]
    assert admission.users == ()


@pytest.mark.parametrize(
    ("bad", "kind"),
    [
        (Local(id="centro", organization_id="bazar", name="X"), Conflict),
        (Role(id="cashier", organization_id="bazar", name="X"), Conflict),
        (user(id="ana", organization_id="bazar"), Conflict),
        (Local(id="l", organization_id="nowhere", name="X"), NotFound),
        (Role(id="r", organization_id="nowhere", name="X"), NotFound),
        (user(organization_id="nowhere"), NotFound),
        (user(roles=frozenset({"guard"})), NotFound),
        (user(locals=frozenset({"puerto"})), NotFound),
        (user(email="ANA@acme.test"), Conflict),
    ],
)
def test_what_contradicts_the_stored_is_rejected(bad: Entity, kind: type[ServiceError]) -> None:
    index, error = rejection(admit([Organization(id="other", name="O"), bad], KNOWN))

    assert index == 1
    assert type(error) is kind


def test_an_id_cannot_be_in_two_organizations_of_one_batch() -> None:
    batch = [
        Local(id="l", organization_id="acme", name="first"),
        Local(id="l", organization_id="bazar", name="second"),
    ]

    admission = admit(batch, KNOWN)

    assert rejection(admission)[0] == 1
    assert admission.locals == (batch[0],)


def test_of_two_users_with_one_email_in_a_batch_the_first_has_it() -> None:
    batch = [user(id="u1", email="same@x"), user(id="u2", email="SAME@x")]

    admission = admit(batch, KNOWN)

    assert rejection(admission)[0] == 1
    assert admission.users == (batch[0],)


def test_a_foreign_reference_is_refused_in_the_same_words_as_a_missing_one() -> None:
    _, foreign = rejection(admit([user(locals=frozenset({"puerto"}))], KNOWN))
    _, missing = rejection(admit([user(locals=frozenset({"nothing"}))], KNOWN))

    assert foreign.detail.replace("puerto", "nothing") == missing.detail


def test_everything_a_batch_speaks_of_is_looked_up() -> None:
    found = mentions(
        [
            Organization(id="o", name="O"),
            Local(id="l", organization_id="o1", name="L"),
            Role(id="r", organization_id="o2", name="R"),
            user(
                organization_id="o3",
                email="U@X",
                roles=frozenset({"r1"}),
                locals=frozenset({"l1"}),
            ),
        ]
    )

    assert found.organizations == {"o", "o1", "o2", "o3"}
    assert found.locals == {"l", "l1"}
    assert found.roles == {"r", "r1"}
    assert found.users == {"u"}
    assert found.emails == {"u@x"}
