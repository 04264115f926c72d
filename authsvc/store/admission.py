"""Which entities of a batch may be written, given what is stored already. Pure.

The caller reads `Known` under the write lock, so what is judged here is what will be written to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from authsvc.model import Entity, Local, Organization, Role, User
from svckit.errors import Conflict, NotFound

__all__ = ["Mentions", "Known", "Rejection", "Admission", "admit", "mentions", "fold_email"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """The ids and folded emails that a batch speaks of: what must be looked up to judge it."""

    organizations: frozenset[str]
    locals: frozenset[str]
    roles: frozenset[str]
    users: frozenset[str]
    emails: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What of a batch's mentions exists. Locals, roles and users map to their organization.

    `emails` maps (organization, folded email) to the user that has it.
    """

    organizations: frozenset[str] = frozenset()
    locals: Mapping[str, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    emails: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """`index` is the place in the batch that was given."""

    index: int
    error: NotFound | Conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What may be written, each id once (its last mention counts), and what may not."""

    organizations: tuple[Organization, ...]
    locals: tuple[Local, ...]
    roles: tuple[Role, ...]
    users: tuple[User, ...]
    rejections: tuple[Rejection, ...]


def fold_email(email: str) -> str:
    """Two emails are the same when this is."""
    return email.casefold()


def mentions(entities: Sequence[Entity]) -> Mentions:
    users = [entity for entity in entities if isinstance(entity, User)]
    return Mentions(
        organizations=frozenset(
            entity.id if isinstance(entity, Organization) else entity.organization_id
            for entity in entities
        ),
        locals=_ids(entities, Local).union(*(user.locals for user in users)),
        roles=_ids(entities, Role).union(*(user.roles for user in users)),
        users=_ids(entities, User),
        emails=frozenset(fold_email(user.email) for user in users),
    )


def _ids(entities: Iterable[Entity], kind: type[Entity]) -> frozenset[str]:
    return frozenset(entity.id for entity in entities if isinstance(entity, kind))


def admit(entities: Sequence[Entity], known: Known) -> Admission:
    """Judges each entity as if those it may build on came first, in whatever order they stand."""
    batch = _Batch(known)
    for kind in (Organization, Local, Role, User):
        for index, entity in enumerate(entities):
            if isinstance(entity, kind):
                batch.take(index, entity)
    return Admission(
        organizations=tuple(batch.organizations.values()),
        locals=tuple(batch.locals.values()),
        roles=tuple(batch.roles.values()),
        users=tuple(batch.users.values()),
        rejections=tuple(sorted(batch.rejections, key=lambda rejection: rejection.index)),
    )


class _Batch:
    """What is stored, together with what has been admitted so far."""

    def __init__(self, known: Known) -> None:
        self.organizations: dict[str, Organization] = {}
        self.locals: dict[str, Local] = {}
        self.roles: dict[str, Role] = {}
        self.users: dict[str, User] = {}
        self.rejections: list[Rejection] = []
        self._organization_ids = set(known.organizations)
        self._local_owners = dict(known.locals)
        self._role_owners = dict(known.roles)
        self._user_owners = dict(known.users)
        self._email_owners = dict(known.emails)

    def take(self, index: int, entity: Entity) -> None:
        match entity:
            case Organization():
                self._organization_ids.add(entity.id)
                self.organizations[entity.id] = entity
                return
            case Local():
                error = self._take_local(entity)
            case Role():
                error = self._take_role(entity)
            case User():
                error = self._take_user(entity)
            case _:
                assert_never(entity)
        if error is not None:
            self.rejections.append(Rejection(index=index, error=error))

    def _take_local(self, local: Local) -> NotFound | Conflict | None:
        if error := self._misplaced("local", local, self._local_owners):
            return error
        self._local_owners[local.id] = local.organization_id
        self.locals[local.id] = local
        return None

    def _take_role(self, role: Role) -> NotFound | Conflict | None:
        if error := self._misplaced("role", role, self._role_owners):
            return error
        self._role_owners[role.id] = role.organization_id
        self.roles[role.id] = role
        return None

    def _take_user(self, user: User) -> NotFound | Conflict | None:
        if error := self._misplaced("user", user, self._user_owners) or self._unheld(user):
            return error
        email = (user.organization_id, fold_email(user.email))
        if self._email_owners.setdefault(email, user.id) != user.id:
            return Conflict(f"user {user.id!r}: the email is another user's")
        self._user_owners[user.id] = user.organization_id
        self.users[user.id] = user
        return None

    def _misplaced(
        self, kind: str, entity: Local | Role | User, owners: Mapping[str, str]
    ) -> NotFound | Conflict | None:
        organization_id = entity.organization_id
        if organization_id not in self._organization_ids:
            return NotFound(
                f"{kind} {entity.id!r}: organization {organization_id!r} does not exist"
            )
        if owners.get(entity.id, organization_id) != organization_id:
            # Which organization has it is not the caller's to know.
            return Conflict(f"{kind} {entity.id!r} exists in another organization")
        return None

    def _unheld(self, user: User) -> NotFound | None:
        for kind, held, owners in (
            ("role", user.roles, self._role_owners),
            ("local", user.locals, self._local_owners),
        ):
            for held_id in sorted(held):
                # One of another organization looks the same as none.
                if owners.get(held_id) != user.organization_id:
                    return NotFound(
                        f"user {user.id!r}: {kind} {held_id!r} does not exist in the organization"
                    )
        return None
