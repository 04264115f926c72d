"""Why a question to Auth got no decision. A denial is a `Decision` and is not here. Pure."""

from catalogsvc.authz.model import Decision
from svckit.errors import InvalidRequest, NotFound, Unauthenticated, Unavailable

__all__ = [
    "InvalidRequest",
    "AuthUnavailable",
    "AuthProtocolError",
    "CredentialRefused",
    "PartlyUnavailable",
    "InvalidToken",
    "UnknownUser",
    "Closed",
    "RETRY_AFTER_S",
]

# What callers are told when nobody said better.
RETRY_AFTER_S = 1.0


class AuthUnavailable(Unavailable):
    """No one answered in time; whether access is allowed is not known.

    `tried` names the paths that were asked, in order; `retry_after_s` says when to ask again.
    """

    def __init__(
        self,
        detail: str = "no one at Auth answered",
        *,
        tried: tuple[str, ...] = (),
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)
        self.tried = tried


class PartlyUnavailable(AuthUnavailable):
    """Some of many questions got no answer.

    `decisions` has those that did, in the order of the questions, and None for each other: neither
    a yes nor a no.
    """

    def __init__(
        self,
        decisions: tuple[Decision | None, ...],
        *,
        tried: tuple[str, ...] = (),
        retry_after_s: float = RETRY_AFTER_S,
    ) -> None:
        missing = decisions.count(None)
        super().__init__(
            f"Auth answered {len(decisions) - missing} of {len(decisions)} questions",
            tried=tried,
            retry_after_s=retry_after_s,
        )
        self.decisions = decisions


class AuthProtocolError(AuthUnavailable):
    """The peer broke the contract: it refused our credential, or its answer cannot be understood.

    Asking again will not help before an operator has looked at it.
    """


class CredentialRefused(AuthProtocolError):
    """Auth does not let this service ask: a setting is wrong on one of the two sides."""

    def __init__(self, path: str) -> None:
        super().__init__("Auth refuses this service's credential", tried=(path,))


class InvalidToken(Unauthenticated):
    """The token speaks for no one. `reason` is Auth's short sentence, never the token."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class UnknownUser(NotFound):
    """Auth knows no such user."""


class Closed(RuntimeError):
    """The client was not opened yet, or is closed for good: our bug, not an outage."""

    def __init__(self) -> None:
        super().__init__("the AuthClient is closed")
