"""The access records that are known right now, as many as there is room for. Pure.

Two generations: what is asked for stays in the young one, what is not grows old and goes with its
generation. A lookup so costs one dict read, where an exact order of use would cost three; and it
takes a whole column, for a call for each id would cost more than all the rest.
"""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from authsvc.changes import Change

__all__ = ["Records", "Found", "Absent", "ABSENT"]


class Absent(Enum):
    """Nothing is known, not even that it does not exist."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

# Whose a record of something unknown is: nobody's, and no organization has this id.
NOBODY = ""

Record = UserRecord | OrganizationRecord | LocalRecord
T = TypeVar("T", bound=Record)
Found: TypeAlias = T | Literal[Absent.ABSENT] | None


class Records:
    """Records by id; None is known too: there is no such user, organization or local.

    A record weighs 1, and 1 more for each local, permission and session in it; all together weigh
    at most `weight_max`. One that weighs more than half of that is not kept.
    """

    __slots__ = ("_half", "_old", "_young")

    def __init__(self, *, weight_max: int) -> None:
        assert weight_max >= 2, weight_max
        self._half = weight_max // 2
        self._young = _Generation()
        self._old = _Generation()

    @property
    def weight(self) -> int:
        return self._young.weight + self._old.weight

    def users(self, ids: Sequence[str]) -> list[Found[UserRecord]]:
        try:
            return list(map(self._young.users.records.__getitem__, ids))
        except KeyError:
            return self._among_all(self._young.users, self._old.users, ids)

    def organizations(self, ids: Sequence[str]) -> list[Found[OrganizationRecord]]:
        try:
            return list(map(self._young.organizations.records.__getitem__, ids))
        except KeyError:
            return self._among_all(self._young.organizations, self._old.organizations, ids)

    def locals(self, ids: Sequence[str]) -> list[Found[LocalRecord]]:
        try:
            return list(map(self._young.locals.records.__getitem__, ids))
        except KeyError:
            return self._among_all(self._young.locals, self._old.locals, ids)

    def has_all(
        self,
        user_ids: Sequence[str],
        organization_ids: Sequence[str],
        local_ids: Sequence[str],
    ) -> bool:
        """Cheaper than looking each of them up; a False is a guess, for the old are not asked."""
        young = self._young
        return (
            young.users.records.keys() >= set(user_ids)
            and young.organizations.records.keys() >= set(organization_ids)
            and young.locals.records.keys() >= set(local_ids)
        )

    def put_user(self, user_id: str, record: UserRecord | None) -> None:
        self._old.users.take(user_id)
        self._young.users.take(user_id)
        if _weight(record) <= self._half:
            self._make_room(record)
            self._young.users.put(user_id, record, _owner(record))

    def put_organization(self, organization_id: str, record: OrganizationRecord | None) -> None:
        self._old.organizations.take(organization_id)
        self._young.organizations.take(organization_id)
        self._make_room(record)
        self._young.organizations.put(organization_id, record, organization_id)

    def put_local(self, local_id: str, record: LocalRecord | None) -> None:
        self._old.locals.take(local_id)
        self._young.locals.take(local_id)
        self._make_room(record)
        self._young.locals.put(local_id, record, _owner(record))

    def drop(self, changes: Iterable[Change]) -> None:
        """Forgets whatever these changes touched."""
        for generation in (self._young, self._old):
            for change in changes:
                generation.drop(change)

    def clear(self) -> None:
        self._young = _Generation()
        self._old = _Generation()

    def _make_room(self, record: Record | None) -> None:
        if self._young.weight + _weight(record) > self._half:
            self._old = self._young
            self._young = _Generation()

    def _among_all(
        self, young: "_Table[T]", old: "_Table[T]", ids: Sequence[str]
    ) -> list[Found[T]]:
        for record_id in old.records.keys() & set(ids):
            # Where the young are as many as may be, it stays where it is: it is found all the same.
            if self._young.weight + _weight(old.records[record_id]) <= self._half:
                old.hand_over(record_id, young)
        return [young.records.get(i, old.records.get(i, ABSENT)) for i in ids]


class _Generation:
    __slots__ = ("locals", "organizations", "users")

    def __init__(self) -> None:
        self.users: _Table[UserRecord] = _Table()
        self.organizations: _Table[OrganizationRecord] = _Table()
        self.locals: _Table[LocalRecord] = _Table()

    @property
    def weight(self) -> int:
        return self.users.weight + self.organizations.weight + self.locals.weight

    def drop(self, change: Change) -> None:
        if change.user_id is not None:
            self.users.take(change.user_id)
        elif change.local_id is not None:
            self.locals.take(change.local_id)
        else:
            self.organizations.take(change.organization_id)
            # What does not exist may be what this organization has got now.
            for owner in (change.organization_id, NOBODY):
                self.users.take_all_of(owner)
                self.locals.take_all_of(owner)


class _Table(Generic[T]):
    """Records of one kind in one generation, and which of them are whose."""

    __slots__ = ("_ids_of", "_owners", "records", "weight")

    def __init__(self) -> None:
        self.records: dict[str, T | None] = {}
        self._owners: dict[str, str] = {}
        self.weight = 0
        self._ids_of: dict[str, set[str]] = {}

    def put(self, record_id: str, record: T | None, owner: str) -> None:
        """There is none of this id."""
        self.records[record_id] = record
        self._owners[record_id] = owner
        self._ids_of.setdefault(owner, set()).add(record_id)
        self.weight += _weight(record)

    def hand_over(self, record_id: str, other: "_Table[T]") -> None:
        record, owner = self.records[record_id], self._owners[record_id]
        self.take(record_id)
        other.put(record_id, record, owner)

    def take(self, record_id: str) -> None:
        if record_id not in self.records:
            return
        self.weight -= _weight(self.records.pop(record_id))
        owner = self._owners.pop(record_id)
        ids = self._ids_of[owner]
        ids.discard(record_id)
        if not ids:
            del self._ids_of[owner]

    def take_all_of(self, owner: str) -> None:
        for record_id in self._ids_of.pop(owner, ()):
            self.weight -= _weight(self.records.pop(record_id))
            del self._owners[record_id]


def _owner(record: UserRecord | LocalRecord | None) -> str:
    return NOBODY if record is None else record.organization_id


def _weight(record: Record | None) -> int:
    if isinstance(record, UserRecord):
        return 1 + len(record.locals) + len(record.permissions) + len(record.sessions)
    return 1
