"""What one asks of Auth and what one gets: questions, decisions, identities. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from svckit.ids import check_id

__all__ = ["LocalQuery", "Decision", "Identity", "Reason", "Source"]


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
        for name in ("user_id", "organization_id", "local_id"):
            check_id(name, getattr(self, name))


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
