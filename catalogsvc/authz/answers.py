"""Reads what Auth said. A yes is taken only when nothing in the answer contradicts it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.feed import Change, Page
from catalogsvc.authz.model import Decision, Identity, Reason, Source
from catalogsvc.authz.transport import AsOf, Checked, Failure, PathFailed

__all__ = [
    "REASONS",
    "read_checked",
    "read_as_of",
    "read_decision",
    "read_identity",
    "read_page",
    "reason_named",
]

REASON_CHARS_MAX = 200

# The numbers of access.v1. 0 is never an answer, and one that is not here yet is a denial.
REASONS: Mapping[int, Reason] = MappingProxyType(
    {
        1: Reason.ALLOWED,
        2: Reason.UNKNOWN_USER,
        3: Reason.USER_INACTIVE,
        4: Reason.UNKNOWN_ORGANIZATION,
        5: Reason.ORGANIZATION_INACTIVE,
        6: Reason.WRONG_ORGANIZATION,
        7: Reason.UNKNOWN_LOCAL,
        8: Reason.LOCAL_INACTIVE,
        9: Reason.NOT_ASSIGNED,
    }
)


def read_checked(
    reasons: Sequence[Reason], local_names: Sequence[str], as_of: AsOf, *, rows: int, path: str
) -> Checked:
    """Raises PathFailed unless each row has its reason, and only a yes has a name."""
    if len(reasons) != rows or len(local_names) != rows:
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    for reason, name in zip(reasons, local_names, strict=True):
        if name and reason is not Reason.ALLOWED:
            raise PathFailed(path, Failure.UNINTELLIGIBLE)
    return Checked(reasons=reasons, local_names=local_names, as_of=as_of)


class SaysAsOf(Protocol):
    """An answer of access.v1, in whichever form it came."""

    revision: int
    age_ms: int
    database_id: str


def read_as_of(answer: SaysAsOf, *, path: str) -> AsOf:
    """Raises PathFailed on an answer that must name its revision and does not."""
    revision, age_ms, database_id = answer.revision, answer.age_ms, answer.database_id
    if revision <= 0 or age_ms < 0 or not database_id:
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    return AsOf(database_id=database_id, revision=revision, age_s=age_ms / 1000)


def reason_named(name: str, *, path: str) -> Reason:
    """Of a batch over REST. Raises PathFailed on none at all."""
    if not name:
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    return Reason(name) if name in Reason.__members__ else Reason.DENIED


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


def read_page(
    *,
    tick: int,
    database_id: str,
    after: int,
    revision: int,
    is_reset: bool,
    columns: tuple[Sequence[int], Sequence[str], Sequence[str], Sequence[str]],
    path: str,
) -> Page:
    """Row i of the columns (revision, organization, user, local) is one change.

    Raises PathFailed on columns of unequal length, changes that are not all after `after`, up to
    `revision` and in their order, and ids that are missing.
    """
    revisions, organization_ids, *_ = columns
    is_even = {len(column) for column in columns} == {len(revisions)}
    is_in_order = list(revisions) == sorted(revisions)
    is_within = not revisions or after < revisions[0] <= revisions[-1] <= revision
    has_ids = bool(database_id) and all(organization_ids)
    if not (is_even and is_in_order and is_within and has_ids and 0 <= after <= revision):
        raise PathFailed(path, Failure.UNINTELLIGIBLE)
    changes = tuple(
        Change(number, organization_id, user_id or None, local_id or None)
        for number, organization_id, user_id, local_id in zip(*columns, strict=True)
    )
    return Page(
        tick=tick,
        database_id=database_id,
        after=after,
        revision=revision,
        changes=changes,
        is_reset=is_reset,
    )
