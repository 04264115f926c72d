"""What a write touched, and the pages in which changes are read and told. Pure."""

from dataclasses import dataclass

__all__ = ["Change", "ChangePage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one revision touched. None for a user or local means all of the organization's.

    (o, u, l): one assignment. (o, u, None): all about the user. (o, None, l): the local itself.
    (o, None, None): anything of the organization.
    """

    revision: int
    organization_id: str
    user_id: str | None = None
    local_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePage:
    """All changes after `after` up to `revision`, in their order; read at one moment.

    `is_gap`: they cannot be told (the log was trimmed, there are too many, or `after` lies in the
    future of this database), so whatever was known must be forgotten; `changes` then are those
    after `after`, which lies as far back as can be told. `database_id` names the database for
    good: revisions of two databases have nothing to do with each other.
    """

    database_id: str
    after: int
    revision: int
    changes: tuple[Change, ...] = ()
    is_gap: bool = False
