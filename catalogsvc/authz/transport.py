"""What a path to Auth must offer, and how it says that it got no answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from catalogsvc.authz.model import Identity, Reason, Row
from svckit.deadline import Deadline
from svckit.errors import Unavailable

__all__ = [
    "Transport",
    "AsOf",
    "Checked",
    "Verified",
    "Permitted",
    "PathFailed",
    "Unimplemented",
    "Failure",
]


class Failure(Enum):
    """How a path failed."""

    BROKEN_OFF = auto()  # refused, reset, cut, or an error that says the server is not well
    TIMED_OUT = auto()
    UNINTELLIGIBLE = auto()  # it spoke, against the contract
    NOT_ASKED = auto()  # its breaker is open, or there was no room for one more call in time


class PathFailed(Unavailable):
    """This path gave no answer; another one may."""

    def __init__(self, path: str, failure: Failure) -> None:
        super().__init__("Auth did not answer on this path")
        self.path = path
        self.failure = failure


class Unimplemented(PathFailed):
    """The server is older than this question; the same may be asked in an older way."""

    def __init__(self, path: str) -> None:
        super().__init__(path, Failure.BROKEN_OFF)


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """All changes of `database_id` up to `revision` are in the answer.

    And when it was computed, none of it was older than `age_s`. Revision 0: the server did not say.
    """

    database_id: str = ""
    revision: int = 0
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Row i answers row i of what was asked; `local_names[i]` is filled only on a yes."""

    reasons: Sequence[Reason]
    local_names: Sequence[str]
    as_of: AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """`expires_at` is in seconds since 1970; None where the server did not say."""

    identity: Identity
    expires_at: float | None
    as_of: AsOf


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """`organization_id` is empty where the server did not say."""

    permissions: frozenset[str]
    organization_id: str
    as_of: AsOf


class Transport(Protocol):
    """One path to one Auth server: gRPC, REST, or a fake.

    Whatever is returned, Auth has said; a yes has been checked. Each call ends by its deadline.
    Each raises PathFailed when there was no answer; InvalidRequest when Auth finds the question
    malformed; AuthProtocolError when it refuses our credential; AuthUnavailable when it is
    overloaded. A cancelled call raises CancelledError and nothing else.
    """

    @property
    def name(self) -> str:
        """What `AuthUnavailable.tried` calls this path, such as "grpc://127.0.0.1:50051"."""
        ...

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        """Takes 1 to ROWS_MAX rows, all or nothing."""
        ...

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        """Raises InvalidToken with Auth's reason when the token is not valid."""
        ...

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        """Raises UnknownUser when Auth knows no such user."""
        ...

    async def close(self) -> None: ...
