"""The same questions over REST, for when gRPC gives no answer."""

import math
import ssl
from collections.abc import Sequence
from urllib.parse import quote, urlencode

import msgspec

from catalogsvc.authz.answers import (
    read_as_of,
    read_checked,
    read_decision,
    read_identity,
    reason_named,
)
from catalogsvc.authz.at_once import ask_at_once
from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.http_calls import HttpCalls
from catalogsvc.authz.model import Decision, Row, Source
from catalogsvc.authz.transport import AsOf, Checked, Permitted, Unimplemented, Verified
from svckit.deadline import Deadline
from svckit.rpc import Interceptor

__all__ = ["RestTransport"]

# What an older Auth, or a proxy before it, says of a place that it does not have.
NO_SUCH_PLACE = frozenset({404, 405})
OLD_AUTH_S = 60.0
ROWS_AT_ONCE_MAX = 32


class _AsOf(msgspec.Struct):
    """What an older Auth does not say."""

    revision: int = 0
    age_ms: int = 0
    database_id: str = ""


class _RowsAnswer(_AsOf, kw_only=True):
    reasons: list[str]
    local_names: list[str]


class _LocalAnswer(msgspec.Struct):
    is_valid: bool
    local_name: str | None = None
    reason: str | None = None


class _TokenAnswer(_AsOf, kw_only=True):
    is_valid: bool
    user_id: str | None = None
    organization_id: str | None = None
    permissions: list[str] | None = None
    error_message: str | None = None
    expires_at: float | None = None


class _PermissionsAnswer(_AsOf, kw_only=True):
    permissions: list[str]
    organization_id: str = ""


class RestTransport:
    """A Transport. Owns its connections, which it opens when first asked."""

    __slots__ = ("_calls", "_clock", "_old_until", "name")

    def __init__(
        self,
        base_url: str,
        *,
        interceptors: Sequence[Interceptor],
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._calls = HttpCalls(base_url, interceptors=interceptors, clock=clock, tls=tls)
        self._clock = clock
        self.name = self._calls.name
        # An older Auth has no batches; it may be replaced by a newer one while we run.
        self._old_until = -math.inf

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        if self._clock() >= self._old_until:
            try:
                return await self._check_batch(rows, deadline)
            except Unimplemented:
                self._old_until = self._clock() + OLD_AUTH_S

        async def ask(row: Row) -> Decision:
            return await self._check_row(row, deadline)

        decisions = await ask_at_once(ask, rows, lanes_max=ROWS_AT_ONCE_MAX)
        return Checked(
            reasons=[decision.reason for decision in decisions],
            local_names=[decision.local_name for decision in decisions],
            as_of=AsOf(),
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        answer = await self._calls.ask(
            "auth.AuthService/VerifyToken",
            "/api/v1/tokens/verify",
            _TokenAnswer,
            deadline=deadline,
            body={"token": token},
        )
        identity = read_identity(
            token=token,
            is_valid=answer.is_valid,
            user_id=answer.user_id or "",
            organization_id=answer.organization_id or "",
            permissions=answer.permissions or (),
            said=answer.error_message or "",
            source=Source.REST,
            path=self.name,
        )
        # Whoever does not say until when it holds has not said that it may be kept.
        is_whole = answer.expires_at is not None
        return Verified(
            identity=identity,
            expires_at=answer.expires_at,
            as_of=_optional(answer, path=self.name) if is_whole else AsOf(),
        )

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        answer = await self._calls.ask(
            "auth.AuthService/GetUserPermissions",
            f"/api/v1/users/{_segment(user_id)}/permissions",
            _PermissionsAnswer,
            deadline=deadline,
            not_found=UnknownUser("Auth knows no such user"),
        )
        return Permitted(
            permissions=frozenset(answer.permissions),
            organization_id=answer.organization_id,
            as_of=_optional(answer, path=self.name) if answer.organization_id else AsOf(),
        )

    async def close(self) -> None:
        await self._calls.close()

    async def _check_batch(self, rows: Sequence[Row], deadline: Deadline) -> Checked:
        user_ids, organization_ids, local_ids = zip(*rows, strict=True)
        answer = await self._calls.ask(
            "access.v1.AccessService/BatchCheckLocals",
            "/api/v1/locals/validate",
            _RowsAnswer,
            deadline=deadline,
            body={
                "user_ids": user_ids,
                "organization_ids": organization_ids,
                "local_ids": local_ids,
            },
            statuses_of_older=NO_SUCH_PLACE,
        )
        return read_checked(
            [reason_named(name, path=self.name) for name in answer.reasons],
            answer.local_names,
            read_as_of(answer, path=self.name),
            rows=len(rows),
            path=self.name,
        )

    async def _check_row(self, row: Row, deadline: Deadline) -> Decision:
        user_id, organization_id, local_id = row
        asked = urlencode({"user_id": user_id, "organization_id": organization_id}, quote_via=quote)
        answer = await self._calls.ask(
            "auth.AuthService/ValidateLocal",
            f"/api/v1/locals/{_segment(local_id)}/validate?{asked}",
            _LocalAnswer,
            deadline=deadline,
        )
        return read_decision(
            is_valid=answer.is_valid,
            local_name=answer.local_name or "",
            said=answer.reason or "",
            source=Source.REST,
            path=self.name,
        )


def _optional(answer: _AsOf, *, path: str) -> AsOf:
    if answer.revision == 0:
        return AsOf()
    return read_as_of(answer, path=path)


def _segment(text: str) -> str:
    """`text` as one path segment. A lone "." or ".." is encoded too, or it would climb the path."""
    segment = quote(text, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment
