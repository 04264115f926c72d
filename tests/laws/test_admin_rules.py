"""Law of administration: what an organization's admin may do stays in it, and off the platform."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from authsvc.admin_rules import Admin, check_edit
from authsvc.audit import Actor, ActorKind
from authsvc.edits import Edit
from authsvc.model import Entity, Local, Organization, Role, Status, User
from svckit.errors import ServiceError

OWN = "acme"
ADMIN = Admin(actor=Actor(kind=ActorKind.USER, id="ana"), organization_id=OWN)
PLATFORM_ROLES = frozenset({"top"})

ids = st.sampled_from(["a", "acme", "acme:a", "acme:a:b", "acmea:b", "bazar", "bazar:a", "top"])
owners = st.sampled_from([OWN, "bazar", "acme:a"])
statuses = st.sampled_from(Status)
permissions = st.frozensets(
    st.sampled_from(["a:b", "auth:admin", "platform:admin", "platform:x", "platformer:x"])
)
held = st.frozensets(st.sampled_from(["r", "top"]))
entities: st.SearchStrategy[Entity] = st.one_of(
    st.builds(Organization, id=ids, name=st.just("n"), status=statuses),
    st.builds(Local, id=ids, organization_id=owners, name=st.just("n"), status=statuses),
    st.builds(Role, id=ids, organization_id=owners, name=st.just("n"), permissions=permissions),
    st.builds(User, id=ids, organization_id=owners, email=st.just("e"), roles=held),
)


@st.composite
def edits(draw: st.DrawFn) -> Edit:
    """`before` is what such an admin can be shown: of the same id, and of their own."""
    after = draw(entities)
    before = draw(st.none() | entities.filter(lambda entity: type(entity) is type(after)))
    if isinstance(before, Organization):
        before = replace(before, id=OWN) if after.id == OWN else None
    elif before is not None:
        before = replace(before, id=after.id, organization_id=OWN)
    return Edit(before=before, after=after)


def is_allowed(admin: Admin, edit: Edit) -> bool:
    held_now = ["platform:admin" if admin.organization_id is None else "auth:admin"]
    try:
        check_edit(admin, edit, permissions=held_now, platform_roles=PLATFORM_ROLES)
    except ServiceError:
        return False
    return True


@given(edits())
def test_whatever_is_allowed_is_of_the_organization_and_has_nothing_of_the_platform(
    edit: Edit,
) -> None:
    if not is_allowed(ADMIN, edit):
        return
    for entity in (edit.before, edit.after):
        if entity is None:
            continue
        owner = entity.id if isinstance(entity, Organization) else entity.organization_id
        assert owner == OWN
        if isinstance(entity, Role):
            assert not any(p.startswith("platform:") for p in entity.permissions)
        if isinstance(entity, User):
            assert not entity.roles & PLATFORM_ROLES
    if edit.before is None:
        assert not isinstance(edit.after, Organization)
        assert edit.after.id == "acme:a"


@given(edits())
def test_a_platform_admin_is_let_do_whatever_an_organizations_is(edit: Edit) -> None:
    assert is_allowed(replace(ADMIN, organization_id=None), edit)
