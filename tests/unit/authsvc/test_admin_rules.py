"""Who may administer what, row by row."""

from dataclasses import replace

import pytest

from authsvc.admin_rules import Admin, Caller, admin_of, check_edit, may_end_administration
from authsvc.audit import OPERATOR, STRANGER, Actor, ActorKind
from authsvc.edits import Edit
from authsvc.model import Entity, Local, Organization, Role, Status, User
from svckit.errors import Forbidden, NotFound, ServiceError

ANA = Actor(kind=ActorKind.USER, id="ana")
OWN = Admin(actor=ANA, organization_id="acme")
ALL = Admin(actor=ANA, organization_id=None)
PLATFORM_ROLES = frozenset({"helper"})

ACME = Organization(id="acme", name="Acme")
LOCAL = Local(id="centro", organization_id="acme", name="Centro")
ROLE = Role(id="cashier", organization_id="acme", name="C", permissions=frozenset({"catalog:read"}))
HELPER = replace(ROLE, id="helper", permissions=frozenset({"platform:support"}))
USER = User(id="luis", organization_id="acme", email="l@a", roles=frozenset({"cashier"}))
SAM = replace(USER, id="sam", roles=frozenset({"cashier", "helper"}))

# What was there, what shall be, and what the organization's admin hears.
TABLE: list[tuple[Entity | None, Entity, type[ServiceError] | None]] = [
    (ACME, replace(ACME, name="New"), None),
    (ACME, replace(ACME, status=Status.INACTIVE), Forbidden),
    (replace(ACME, status=Status.INACTIVE), ACME, Forbidden),
    (None, ACME, Forbidden),
    (None, Organization(id="acme:2", name="New"), Forbidden),
    (None, Organization(id="bazar", name="New"), Forbidden),
    (LOCAL, replace(LOCAL, status=Status.INACTIVE), None),
    (LOCAL, replace(LOCAL, organization_id="bazar"), NotFound),
    (None, replace(LOCAL, id="acme:2"), None),
    (None, replace(LOCAL, id="free"), NotFound),
    (None, replace(LOCAL, id="acme"), NotFound),
    (None, replace(LOCAL, id="acme:2:3"), NotFound),
    (None, replace(LOCAL, id="acme2:3"), NotFound),
    (None, replace(LOCAL, id="acme:2", organization_id="bazar"), NotFound),
    (ROLE, replace(ROLE, permissions=frozenset({"auth:admin"})), None),
    (ROLE, replace(ROLE, permissions=frozenset({"platform:admin"})), Forbidden),
    (ROLE, replace(ROLE, permissions=frozenset({"platform:other"})), Forbidden),
    (HELPER, replace(HELPER, permissions=frozenset()), Forbidden),
    (HELPER, replace(HELPER, name="New"), Forbidden),
    (None, replace(ROLE, id="acme:2"), None),
    (None, replace(HELPER, id="acme:2"), Forbidden),
    (USER, replace(USER, status=Status.INACTIVE), None),
    (USER, replace(USER, roles=frozenset({"helper"})), Forbidden),
    (SAM, replace(SAM, roles=frozenset()), Forbidden),
    (SAM, replace(SAM, status=Status.INACTIVE), Forbidden),
    (SAM, replace(SAM, locals=frozenset({"centro"})), Forbidden),
    (None, replace(USER, id="acme:2"), None),
    (None, replace(SAM, id="acme:2"), Forbidden),
]


def refusal(admin: Admin, edit: Edit, *permissions: str) -> type[ServiceError] | None:
    try:
        check_edit(admin, edit, permissions=permissions, platform_roles=PLATFORM_ROLES)
    except ServiceError as refused:
        return type(refused)
    return None


@pytest.mark.parametrize(("before", "after", "expected"), TABLE)
def test_an_organizations_admin_may_what_is_its_own_and_not_the_platforms(
    before: Entity | None, after: Entity, expected: type[ServiceError] | None
) -> None:
    assert refusal(OWN, Edit(before=before, after=after), "auth:admin") is expected


@pytest.mark.parametrize(("before", "after", "_"), TABLE)
def test_a_platform_admin_and_the_operator_may_everything(
    before: Entity | None, after: Entity, _: object
) -> None:
    edit = Edit(before=before, after=after)

    assert refusal(ALL, edit, "platform:admin") is None
    assert refusal(replace(ALL, actor=OPERATOR), edit) is None


@pytest.mark.parametrize(
    ("admin", "permissions"), [(OWN, ("catalog:read",)), (ALL, ("auth:admin",))]
)
def test_who_has_lost_the_permission_since_may_nothing(
    admin: Admin, permissions: tuple[str, ...]
) -> None:
    assert refusal(admin, Edit(before=LOCAL, after=LOCAL), *permissions) is Forbidden


@pytest.mark.parametrize(
    ("permissions", "organization_id"),
    [
        (("auth:admin",), "acme"),
        (("platform:admin",), None),
        (("auth:admin", "platform:admin"), None),
    ],
)
def test_an_admin_is_confined_unless_they_hold_the_platform(
    permissions: tuple[str, ...], organization_id: str | None
) -> None:
    caller = Caller(actor=ANA, organization_id="acme", permissions=permissions)

    assert admin_of(caller) == Admin(actor=ANA, organization_id=organization_id)


@pytest.mark.parametrize(
    "caller",
    [
        Caller(actor=STRANGER),
        Caller(actor=ANA, organization_id="acme"),
        Caller(actor=ANA, organization_id="acme", permissions=("platform:support", "auth:adm")),
        # Confined to nothing would be confined by nothing.
        Caller(actor=ANA, organization_id=None, permissions=("auth:admin",)),
    ],
)
def test_nobody_else_is_an_admin(caller: Caller) -> None:
    with pytest.raises(Forbidden, match="missing permission auth:admin"):
        admin_of(caller)


ROOT = Role(
    id="root", organization_id="acme", name="R", permissions=frozenset({"platform:admin", "a:b"})
)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ACME, replace(ACME, status=Status.INACTIVE), True),
        (ACME, replace(ACME, name="New"), False),
        (replace(ACME, status=Status.INACTIVE), ACME, False),
        (USER, replace(USER, status=Status.INACTIVE), True),
        (USER, replace(USER, roles=frozenset()), True),
        (USER, replace(USER, roles=frozenset({"helper"})), True),
        (USER, SAM, False),
        (ROOT, replace(ROOT, permissions=frozenset({"a:b"})), True),
        (ROOT, replace(ROOT, permissions=frozenset({"platform:admin"})), False),
        (ROLE, replace(ROLE, permissions=frozenset()), False),
        (LOCAL, replace(LOCAL, status=Status.INACTIVE), False),
        (None, ACME, False),
        (None, USER, False),
        (None, ROOT, False),
    ],
)
def test_only_what_takes_something_away_could_end_administration(
    before: Entity | None, after: Entity, expected: object
) -> None:
    assert may_end_administration(Edit(before=before, after=after)) is expected
