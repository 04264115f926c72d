"""Who may enter where, a page at a time, in the order of the ids. Pure."""

from dataclasses import dataclass

__all__ = ["UserLocalsPage", "LocalUsersPage"]


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
