"""Lists, a page at a time, in the order of the ids. Pure."""

from dataclasses import dataclass

from authsvc.model import Status

__all__ = ["UserLocalsPage", "LocalUsersPage", "EntityFilter"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLocalsPage:
    """`rows` are (local id, its name), in the order of the ids' bytes, as of `revision`."""

    rows: tuple[tuple[str, str], ...]
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalUsersPage:
    """`rows` are ids of users, in the order of their bytes, as of `revision`."""

    rows: tuple[str, ...]
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFilter:
    """`prefix` is of the email for users, case folded, and of the name for the others."""

    organization_id: str | None = None
    status: Status | None = None
    prefix: str = ""
