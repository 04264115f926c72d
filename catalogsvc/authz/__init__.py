"""May this user enter this local? The client that asks Auth, and everything one needs to use it."""

from catalogsvc.authz.breaker import BreakerState
from catalogsvc.authz.client import AuthClient
from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    Closed,
    CredentialRefused,
    InvalidRequest,
    InvalidToken,
    PartlyUnavailable,
    UnknownUser,
)
from catalogsvc.authz.model import Decision, Identity, LocalQuery, Reason, Source
from catalogsvc.authz.settings import AuthClientSettings
from catalogsvc.authz.snapshot import SecondLevelCounts, Snapshot

__all__ = [
    "AuthClient",
    "AuthClientSettings",
    "LocalQuery",
    "Decision",
    "Reason",
    "Source",
    "Identity",
    "AuthUnavailable",
    "AuthProtocolError",
    "CredentialRefused",
    "PartlyUnavailable",
    "InvalidRequest",
    "InvalidToken",
    "UnknownUser",
    "Closed",
    "Snapshot",
    "SecondLevelCounts",
    "BreakerState",
]
