"""What the audit log says of a change: what differs, and no more."""

from dataclasses import replace
from typing import Any

import pytest

from authsvc.audit import OPERATOR, AuditEntry
from authsvc.edits import Edit, entry_of
from authsvc.model import Entity, Local, Organization, Role, Status, User

ANA = User(
    id="ana",
    organization_id="acme",
    email="ana@a",
    roles=frozenset({"r1", "r2"}),
    locals=frozenset({"l1"}),
)
ROLE = Role(id="r", organization_id="acme", name="R", permissions=frozenset({"a:b", "a:c"}))
Said = dict[str, Any] | None


@pytest.mark.parametrize(
    ("before", "after", "action", "target", "old", "new"),
    [
        (
            None,
            Organization(id="acme", name="Acme"),
            "organization.make",
            "organization:acme",
            None,
            {"name": "Acme", "status": Status.ACTIVE},
        ),
        (
            None,
            Local(id="l", organization_id="acme", name="L"),
            "local.make",
            "local:l",
            None,
            {"organization_id": "acme", "name": "L", "code": "", "status": Status.ACTIVE},
        ),
        (
            None,
            ANA,
            "user.make",
            "user:ana",
            None,
            {
                "organization_id": "acme",
                "email": "ana@a",
                "status": Status.ACTIVE,
                "roles": ["r1", "r2"],
                "locals": ["l1"],
            },
        ),
        (
            ROLE,
            replace(ROLE, name="S", permissions=frozenset({"a:c", "a:d"})),
            "role.change",
            "role:r",
            {"name": "R", "permissions": ["a:b"]},
            {"name": "S", "permissions": ["a:d"]},
        ),
        (
            ANA,
            replace(ANA, status=Status.INACTIVE, roles=frozenset({"r1"})),
            "user.change",
            "user:ana",
            {"status": Status.ACTIVE, "roles": ["r2"]},
            {"status": Status.INACTIVE},
        ),
        (
            ANA,
            replace(ANA, locals=frozenset({"l1", "l2"})),
            "assignment.add",
            "user:ana",
            None,
            {"local_id": "l2"},
        ),
        (
            ANA,
            replace(ANA, locals=frozenset()),
            "assignment.remove",
            "user:ana",
            {"local_id": "l1"},
            None,
        ),
        (
            ANA,
            replace(ANA, locals=frozenset({"l2"})),
            "user.change",
            "user:ana",
            {"locals": ["l1"]},
            {"locals": ["l2"]},
        ),
    ],
)
def test_a_change_is_told_by_what_went_and_what_came(
    before: Entity | None, after: Entity, action: str, target: str, old: Said, new: Said
) -> None:
    entry = entry_of(Edit(before=before, after=after), by=OPERATOR)

    assert entry == AuditEntry(
        actor=OPERATOR,
        action=action,
        organization_id="acme",
        target=target,
        before=old,
        after={} if new is None and action.endswith("change") else new,
    )
