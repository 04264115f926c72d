"""Decisions by the row from whatever holds the records; or what is missing to make them. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.columns import Columns
from authsvc.decision import AccessFacts, Reason, decide_row, facts_of
from authsvc.records import ABSENT, Found

__all__ = [
    "Source",
    "PageSource",
    "Wanted",
    "Decided",
    "UserAccess",
    "decide_rows",
    "find_facts",
    "find_user_access",
]


FoundColumns: TypeAlias = tuple[
    list[Found[UserRecord]], list[Found[OrganizationRecord]], list[Found[LocalRecord]]
]


class Source(Protocol):
    """Records as of one moment: `Records` of the known revision, or one page of the store's."""

    def users(self, ids: Sequence[str], /) -> list[Found[UserRecord]]: ...

    def organizations(self, ids: Sequence[str], /) -> list[Found[OrganizationRecord]]: ...

    def locals(self, ids: Sequence[str], /) -> list[Found[LocalRecord]]: ...


class PageSource:
    """The records of one page. What it was not asked for is absent."""

    __slots__ = ("_page",)

    def __init__(self, page: AccessPage) -> None:
        self._page = page

    def users(self, ids: Sequence[str]) -> list[Found[UserRecord]]:
        return [self._page.users.get(i, ABSENT) for i in ids]

    def organizations(self, ids: Sequence[str]) -> list[Found[OrganizationRecord]]:
        return [self._page.organizations.get(i, ABSENT) for i in ids]

    def locals(self, ids: Sequence[str]) -> list[Found[LocalRecord]]:
        return [self._page.locals.get(i, ABSENT) for i in ids]


@dataclass(slots=True, kw_only=True)
class Wanted:
    """Ids whose records are to be read."""

    user_ids: set[str] = field(default_factory=set)
    organization_ids: set[str] = field(default_factory=set)
    local_ids: set[str] = field(default_factory=set)

    def add(self, other: "Wanted") -> None:
        self.user_ids |= other.user_ids
        self.organization_ids |= other.organization_ids
        self.local_ids |= other.local_ids

    def size_with(self, other: "Wanted") -> int:
        """Ids of the kind of which there would be most, with the other's too."""
        return max(
            len(self.user_ids | other.user_ids),
            len(self.organization_ids | other.organization_ids),
            len(self.local_ids | other.local_ids),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Row i of both answers row i of the question; a name stands only beside a yes."""

    reasons: Sequence[Reason]
    local_names: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAccess:
    """A user, and the organization they belong to. No organization where there is no user."""

    user: UserRecord | None
    organization: OrganizationRecord | None = None


def decide_rows(source: Source, columns: Columns) -> Decided | Wanted:
    found = _find(source, columns)
    absent, allowed = ABSENT, Reason.ALLOWED
    reasons: list[Reason] = []
    names: list[str] = []
    for user, organization, local, organization_id, local_id in zip(
        *found, columns.organization_ids, columns.local_ids, strict=True
    ):
        if user is absent or organization is absent or local is absent:
            return _missing(found, columns)
        reason = decide_row(user, organization, local, organization_id, local_id)
        reasons.append(reason)
        names.append(local.name if reason is allowed and local is not None else "")
    return Decided(reasons=reasons, local_names=names)


def find_facts(source: Source, columns: Columns) -> AccessFacts | Wanted:
    """Of the only row."""
    found = _find(source, columns)
    (user,), (organization,), (local,) = found
    if user is ABSENT or organization is ABSENT or local is ABSENT:
        return _missing(found, columns)
    (organization_id,), (local_id,) = columns.organization_ids, columns.local_ids
    return facts_of(user, organization, local, organization_id, local_id)


def find_user_access(source: Source, user_id: str) -> UserAccess | Wanted:
    (user,) = source.users((user_id,))
    if user is ABSENT:
        return Wanted(user_ids={user_id})
    if user is None:
        return UserAccess(user=None)
    (organization,) = source.organizations((user.organization_id,))
    if organization is ABSENT:
        return Wanted(organization_ids={user.organization_id})
    return UserAccess(user=user, organization=organization)


def _find(source: Source, columns: Columns) -> FoundColumns:
    return (
        source.users(columns.user_ids),
        source.organizations(columns.organization_ids),
        source.locals(columns.local_ids),
    )


def _missing(found: FoundColumns, columns: Columns) -> Wanted:
    users, organizations, locals_ = found
    return Wanted(
        user_ids=_absent(columns.user_ids, users),
        organization_ids=_absent(columns.organization_ids, organizations),
        local_ids=_absent(columns.local_ids, locals_),
    )


def _absent(ids: Sequence[str], found: Sequence[object]) -> set[str]:
    return {i for i, record in zip(ids, found, strict=True) if record is ABSENT}
