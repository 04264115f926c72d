"""What one asks of Auth and what one gets: questions, decisions, identities. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from svckit.ids import ID_BYTES_MAX, check_id

__all__ = [
    "LocalQuery",
    "Row",
    "ROWS_MAX",
    "Decision",
    "Identity",
    "Reason",
    "Source",
    "CheckedIds",
]

# (user_id, organization_id, local_id): cheaper to make and to hash than a LocalQuery.
Row: TypeAlias = tuple[str, str, str]
# The contract's limit for the rows of one question.
ROWS_MAX = 512
SEEN_MAX = 65_536


class Source(StrEnum):
    """Where an answer came from."""

    CACHE = "CACHE"
    GRPC = "GRPC"
    REST = "REST"


class Reason(StrEnum):
    """Why; `ALLOWED` is the only yes. The names are Auth's, in the order it checks them."""

    UNKNOWN_USER = "UNKNOWN_USER"
    USER_INACTIVE = "USER_INACTIVE"
    UNKNOWN_ORGANIZATION = "UNKNOWN_ORGANIZATION"
    ORGANIZATION_INACTIVE = "ORGANIZATION_INACTIVE"
    WRONG_ORGANIZATION = "WRONG_ORGANIZATION"
    UNKNOWN_LOCAL = "UNKNOWN_LOCAL"
    LOCAL_INACTIVE = "LOCAL_INACTIVE"
    NOT_ASSIGNED = "NOT_ASSIGNED"
    ALLOWED = "ALLOWED"
    # A server that was built from the contract alone says no in words of its own.
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalQuery:
    """May this user of this organization enter this local? Raises InvalidRequest on a bad id."""

    user_id: str
    organization_id: str
    local_id: str

    def __post_init__(self) -> None:
        ids = self.user_id + self.organization_id + self.local_id
        # What ids mostly are: for these it is the rule of `check_id`, all at once.
        if (
            self.user_id
            and self.organization_id
            and self.local_id
            and len(ids) <= ID_BYTES_MAX
            and ids.isascii()
            and ids.isprintable()
        ):
            return
        check_id("user_id", self.user_id)
        check_id("organization_id", self.organization_id)
        check_id("local_id", self.local_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Truthy only on a yes. `local_name` is filled only on a yes.

    `revision` is the store's revision the answer was computed at; 0 where the server did not say.
    """

    reason: Reason
    source: Source
    local_name: str = ""
    revision: int = 0

    @property
    def is_valid(self) -> bool:
        # Derived, so that no decision can contradict itself.
        return self.reason is Reason.ALLOWED

    def __bool__(self) -> bool:
        return self.reason is Reason.ALLOWED


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom a valid token speaks for, with their permissions as of now."""

    user_id: str
    organization_id: str
    permissions: frozenset[str]
    source: Source


class CheckedIds:
    """The verdicts of `check_id`, cheaply for ids that were seen before."""

    __slots__ = ("_seen",)

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def check(self, row: Row) -> None:
        """Raises InvalidRequest with the field's name."""
        seen = self._seen
        user_id, organization_id, local_id = row
        if user_id not in seen:
            self._learn("user_id", user_id)
        if organization_id not in seen:
            self._learn("organization_id", organization_id)
        if local_id not in seen:
            self._learn("local_id", local_id)

    def _learn(self, name: str, value: str) -> None:
        check_id(name, value)
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        self._seen.add(value)
