"""What an entity may hold."""

import pytest

from authsvc.entity_rules import TEXT_BYTES_MAX, check_entity
from authsvc.model import Entity, Local, Organization, Role, User
from svckit.errors import InvalidRequest


def role(*permissions: str) -> Role:
    return Role(id="r", organization_id="o", name="R", permissions=frozenset(permissions))


@pytest.mark.parametrize(
    "good",
    [
        Organization(id="o", name="Añil & Söhne 株式会社"),
        Organization(id="o", name="x" * TEXT_BYTES_MAX),
        Local(id="l", organization_id="o", name="L", code=""),
        Local(id="l", organization_id="o", name="L", code="C-1"),
        role(),
        role("catalog:read", "catalog:price.list:edit_2", "a-b:0"),
        User(
            id="u",
            organization_id="o",
            email="u@o",
            roles=frozenset({"r"}),
            locals=frozenset({"l"}),
        ),
    ],
)
def test_a_good_entity_passes(good: Entity) -> None:
    check_entity(good)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (Organization(id="", name="O"), "id"),
        (Organization(id="o", name=""), "name"),
        (Organization(id="o", name=" \u2003"), "name"),
        (Organization(id="o", name="x" * (TEXT_BYTES_MAX + 1)), "name"),
        (Organization(id="o", name="é" * (TEXT_BYTES_MAX // 2 + 1)), "name"),
        (Organization(id="o", name="a\x1b[31m"), "name"),
        (Organization(id="o", name="a\x85"), "name"),
        (Organization(id="o", name="\ud800"), "name"),
        (Local(id="l", organization_id="", name="L"), "organization_id"),
        (Local(id="l", organization_id="o", name=""), "name"),
        (Local(id="l", organization_id="o", name="L", code="\n"), "code"),
        (Role(id="r", organization_id="o", name=""), "name"),
        (role("read"), "permission"),
        (role("Catalog:read"), "permission"),
        (role("catalog:*"), "permission"),
        (role("catalog:"), "permission"),
        (role("catalog:read\n"), "permission"),
        (role("a:" + "b" * TEXT_BYTES_MAX), "permission"),
        (User(id="u", organization_id="o", email=""), "email"),
        (User(id="u", organization_id="o", email="u@o", roles=frozenset({""})), "role"),
        (User(id="u", organization_id="o", email="u@o", locals=frozenset({"\x00"})), "local"),
    ],
)
def test_a_bad_field_is_named(bad: Entity, named: str) -> None:
    with pytest.raises(InvalidRequest, match=named):
        check_entity(bad)
