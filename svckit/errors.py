"""Why a question got no answer, by whose fault it is. A denial is an answer and is not here.

Services raise these; `status.py` says how each looks on gRPC and on REST. Pure.
"""

__all__ = [
    "ServiceError",
    "InvalidRequest",
    "MalformedMessage",
    "TooLarge",
    "Unauthenticated",
    "Forbidden",
    "NotFound",
    "Conflict",
    "PreconditionFailed",
    "Overloaded",
    "Unavailable",
    "DeadlineExceeded",
    "Internal",
]


class ServiceError(Exception):
    """Base of all. `detail` is one plain sentence that is safe to show to the caller."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.retry_after_s = retry_after_s


class InvalidRequest(ServiceError):
    """The question is malformed; asking it again will not help."""


class MalformedMessage(InvalidRequest):
    """The bytes are not the message they claim to be."""


class TooLarge(ServiceError):
    """The question is larger than this service reads."""


class Unauthenticated(ServiceError):
    """No credential, or a bad one. `challenge` is the HTTP authentication scheme to use."""

    challenge = "Bearer"


class Forbidden(ServiceError):
    """The credential is good, but does not allow this."""


class NotFound(ServiceError):
    """What the question is about does not exist."""


class Conflict(ServiceError):
    """What should be made exists already, or contradicts what exists."""


class PreconditionFailed(ServiceError):
    """What is there is not what the caller believed to be there."""


class Overloaded(ServiceError):
    """Too much at once; `retry_after_s` says when to come back."""


class Unavailable(ServiceError):
    """Something this answer needs is down; nothing is known about the answer itself."""


class DeadlineExceeded(ServiceError):
    """The caller's time ran out before there was an answer."""


class Internal(ServiceError):
    """Our bug. Carries an id that the log also has, and nothing of what went wrong."""

    def __init__(self, error_id: str) -> None:
        super().__init__(f"internal error {error_id}")
        self.error_id = error_id
