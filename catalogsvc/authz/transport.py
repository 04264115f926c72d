"""What a path to Auth must offer, and how it says that it got no answer."""

from enum import Enum, auto
from typing import Protocol

from catalogsvc.authz.model import Decision, Identity, LocalQuery
from svckit.deadline import Deadline
from svckit.errors import Unavailable

__all__ = ["Transport", "PathFailed", "Failure"]


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

    async def validate_local(self, query: LocalQuery, *, deadline: Deadline) -> Decision: ...

    async def verify_token(self, token: str, *, deadline: Deadline) -> Identity:
        """Raises InvalidToken with Auth's reason when the token is not valid."""
        ...

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> frozenset[str]:
        """Raises UnknownUser when Auth knows no such user."""
        ...

    async def close(self) -> None: ...
