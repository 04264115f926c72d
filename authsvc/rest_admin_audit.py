"""The audit log over REST: read, newest first, and nothing else."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin
from authsvc.audit import ActorKind, AuditFilter, AuditRow
from authsvc.paging import id_before, page_size_of, token_after
from authsvc.rest_admin_door import AdminDoor
from authsvc.rest_admin_entities import ADMIN, FAILURES
from authsvc.rest_admin_shapes import PageSize
from authsvc.store import Administration
from svckit.errors import InvalidRequest
from svckit.rest import Endpoint, json_answer, read_query

__all__ = ["AuditRest"]

# What a database's integer holds.
ID_MAX = 2**63 - 1
Moment = Annotated[int, Meta(ge=0, le=2**53)]


class AuditQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`actor` is the id of a user or the name of a service. `since` and `until` are in seconds
    since 1970, the second not within.
    """

    organization_id: str = ""
    actor: str = ""
    action: str = ""
    since: Moment | None = None
    until: Moment | None = None
    page_size: PageSize = 0
    page_token: str = ""


class AuditRowShown(msgspec.Struct, frozen=True, kw_only=True):
    """`before` and `after` hold what differs; `revision` is that of the change, if it was one."""

    id: int
    written_at: int
    actor_kind: ActorKind
    actor_id: str
    action: str
    organization_id: str | None
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    revision: int | None
    trace_id: str


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """`next_page_token` is empty on the last page."""

    items: tuple[AuditRowShown, ...]
    next_page_token: str


class AuditRest:
    def __init__(self, administration: Administration, door: AdminDoor) -> None:
        self._administration = administration
        self._door = door

    def endpoints(self) -> Sequence[Endpoint]:
        path = f"{ADMIN}/audit"
        return (
            Endpoint(
                method="GET",
                path=path,
                summary="Who did what, newest first",
                answer=self._door.opening(f"GET {path}", self.page),
                query=AuditQuestion,
                result=AuditPage,
                failures=FAILURES,
                needs_token=True,
            ),
        )

    async def page(self, request: Request, admin: Admin) -> Response:
        question = read_query(request, AuditQuestion)
        size, before_id = page_size_of(question.page_size), _id_before(question.page_token)
        wanted = AuditFilter(
            organization_id=question.organization_id or admin.organization_id,
            actor_id=question.actor or None,
            action=question.action or None,
            since=question.since,
            until=question.until,
        )
        rows: tuple[AuditRow, ...] = ()
        # Another organization is as one that does not exist.
        if admin.organization_id in (None, wanted.organization_id):
            rows = await self._administration.audit_page(
                wanted, before_id=before_id, limit=size + 1
            )
        items = tuple(map(_shown, rows[:size]))
        next_page_token = "" if len(rows) <= size else token_after(str(items[-1].id))
        return json_answer(AuditPage(items=items, next_page_token=next_page_token))


def _id_before(token: str) -> int:
    text = id_before(token) or str(ID_MAX)
    if not text.isascii() or not text.isdigit() or len(text) > len(str(ID_MAX)):
        raise InvalidRequest("page_token is not one of ours")
    return min(int(text), ID_MAX)


def _shown(row: AuditRow) -> AuditRowShown:
    entry = row.entry
    return AuditRowShown(
        id=row.id,
        written_at=row.written_at,
        actor_kind=entry.actor.kind,
        actor_id=entry.actor.id,
        action=entry.action,
        organization_id=entry.organization_id,
        target=entry.target,
        before=None if entry.before is None else dict(entry.before),
        after=None if entry.after is None else dict(entry.after),
        revision=row.revision,
        trace_id=row.trace_id,
    )
