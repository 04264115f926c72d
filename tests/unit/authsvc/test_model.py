"""The words of the model: what a question may be made of, and what entities start as."""

import pytest

from authsvc.model import Local, LocalQuery, Organization, Role, Status, User
from svckit.errors import InvalidRequest


def test_a_question_keeps_its_three_ids_apart() -> None:
    query = LocalQuery(user_id="u", organization_id="o", local_id="l")

    assert (query.user_id, query.organization_id, query.local_id) == ("u", "o", "l")


@pytest.mark.parametrize("name", ["user_id", "organization_id", "local_id"])
@pytest.mark.parametrize("value", ["", "x" * 129, "a\nb", "\ud800"])
def test_a_question_with_a_bad_id_is_refused_by_the_name_of_the_field(
    name: str, value: str
) -> None:
    ids = {"user_id": "u", "organization_id": "o", "local_id": "l"} | {name: value}

    with pytest.raises(InvalidRequest, match=f"^{name} "):
        LocalQuery(**ids)


def test_entities_are_active_and_hold_nothing_unless_told() -> None:
    organization = Organization(id="o", name="Acme")
    local = Local(id="l", organization_id="o", name="Centro")
    role = Role(id="r", organization_id="o", name="cashier")
    user = User(id="u", organization_id="o", email="ana@acme.test")

    assert {organization.status, local.status, user.status} == {Status.ACTIVE}
    assert (local.code, role.permissions, user.roles, user.locals) == (
        "",
        frozenset(),
        frozenset(),
        frozenset(),
    )
