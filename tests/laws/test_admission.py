"""Laws of admission: what is written keeps organizations apart, whatever the batches were."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.store.admission import Admission, Known, admit, fold_email, mentions

names = st.sampled_from(["a", "b", "c"])
some = st.frozensets(names, max_size=2)
entities: st.SearchStrategy[Entity] = st.one_of(
    st.builds(Organization, id=names, name=names),
    st.builds(Local, id=names, organization_id=names, name=names),
    st.builds(Role, id=names, organization_id=names, name=names),
    st.builds(
        User,
        id=names,
        organization_id=names,
        email=st.sampled_from(["x", "X", "y"]),
        roles=some,
        locals=some,
    ),
)
batches = st.lists(entities, max_size=12)


@dataclass
class Stored:
    """A store of dicts: what admission is told, and what it let in."""

    organizations: dict[str, Organization] = field(default_factory=dict)
    locals: dict[str, Local] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def take(self, batch: Sequence[Entity]) -> Admission:
        admission = admit(batch, self.known(batch))
        self.organizations |= {each.id: each for each in admission.organizations}
        self.locals |= {each.id: each for each in admission.locals}
        self.roles |= {each.id: each for each in admission.roles}
        for user in admission.users:
            # Row by row, as a unique constraint sees it.
            self.users[user.id] = user
            self.check_emails()
        return admission

    def known(self, batch: Sequence[Entity]) -> Known:
        spoken_of = mentions(batch)
        return Known(
            organizations=frozenset(self.organizations) & spoken_of.organizations,
            locals={
                i: self.locals[i].organization_id for i in self.locals.keys() & spoken_of.locals
            },
            roles={i: self.roles[i].organization_id for i in self.roles.keys() & spoken_of.roles},
            users={i: self.users[i].organization_id for i in self.users.keys() & spoken_of.users},
            emails={
                (user.organization_id, fold_email(user.email)): user.id
                for user in self.users.values()
                if fold_email(user.email) in spoken_of.emails
            },
        )

    def check_emails(self) -> None:
        emails = [(user.organization_id, fold_email(user.email)) for user in self.users.values()]
        assert len(emails) == len(set(emails))

    def owned(self) -> list[Local | Role | User]:
        return [*self.locals.values(), *self.roles.values(), *self.users.values()]

    def check(self) -> None:
        for owned in self.owned():
            assert owned.organization_id in self.organizations
        for user in self.users.values():
            for local_id in user.locals:
                assert self.locals[local_id].organization_id == user.organization_id
            for role_id in user.roles:
                assert self.roles[role_id].organization_id == user.organization_id


@given(st.lists(batches, max_size=4))
def test_no_batch_joins_two_organizations_or_moves_anything(batches: list[list[Entity]]) -> None:
    stored = Stored()
    homes: dict[tuple[type, str], str] = {}

    for batch in batches:
        stored.take(batch)

        stored.check()
        for owned in stored.owned():
            assert homes.setdefault((type(owned), owned.id), owned.organization_id) == (
                owned.organization_id
            )


@given(batches, batches)
def test_each_entity_is_admitted_overtaken_or_rejected_once(
    before: list[Entity], batch: list[Entity]
) -> None:
    stored = Stored()
    stored.take(before)

    admission = stored.take(batch)

    rejected = [each.index for each in admission.rejections]
    assert rejected == sorted(set(rejected))
    last = {
        (type(entity), entity.id): entity
        for index, entity in enumerate(batch)
        if index not in rejected
    }
    admitted: list[Entity] = [
        *admission.organizations,
        *admission.locals,
        *admission.roles,
        *admission.users,
    ]
    assert len(admitted) == len(last)
    assert all(last[type(entity), entity.id] == entity for entity in admitted)


@given(batches)
def test_what_was_admitted_is_admitted_again(batch: list[Entity]) -> None:
    stored = Stored()
    first = stored.take(batch)

    again = stored.take([*first.users, *first.roles, *first.locals, *first.organizations])

    assert again.rejections == ()
