"""Reads what Auth said. A yes is taken only when nothing in the answer contradicts it. Pure."""

from collections.abc import Iterable

from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.model import Decision, Identity, Reason, Source
from catalogsvc.authz.transport import Failure, PathFailed

__all__ = ["read_decision", "read_identity"]

REASON_CHARS_MAX = 200


def read_decision(
    *, is_valid: bool, local_name: str, said: str, source: Source, path: str
) -> Decision:
    """`said` is the reason in the server's words. Raises PathFailed on a yes that has another."""
    if is_valid is not True:
        return Decision(reason=_denial(said), source=source)
    if said not in ("", Reason.ALLOWED):
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    return Decision(reason=Reason.ALLOWED, source=source, local_name=local_name)


def _denial(said: str) -> Reason:
    if said in Reason.__members__ and said != Reason.ALLOWED:
        return Reason(said)
    return Reason.DENIED


def read_identity(
    *,
    token: str,
    is_valid: bool,
    user_id: str,
    organization_id: str,
    permissions: Iterable[str],
    said: str,
    source: Source,
    path: str,
) -> Identity:
    """Raises InvalidToken on a no, PathFailed on a yes that has an error or speaks for no one."""
    if is_valid is not True:
        raise InvalidToken(_safe_reason(said, token))
    if said or not user_id or not organization_id:
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    return Identity(
        user_id=user_id,
        organization_id=organization_id,
        permissions=frozenset(permissions),
        source=source,
    )


def _safe_reason(said: str, token: str) -> str:
    # The contract forbids no server to answer with an exception's text, which may quote the token.
    if not said or token in said or not said.isprintable():
        return "invalid token"
    return said[:REASON_CHARS_MAX]
