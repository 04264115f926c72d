"""access.v1: rows by the set, and answers that say as of when they are."""

from collections.abc import Sequence

from catalogsvc.authz.answers import read_as_of, read_identity
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.model import Row, Source
from catalogsvc.authz.rows_transport import RowsTransport
from catalogsvc.authz.transport import Checked, Failure, PathFailed, Permitted, Verified
from catalogsvc.authz.unary import UnaryCalls
from generated.access import v1 as access
from svckit.deadline import Deadline

__all__ = ["AccessTransport"]


class AccessTransport:
    """A Transport whose calls raise Unimplemented too. Owns `rows`; the calls are not its own."""

    __slots__ = ("_calls", "_rows")

    def __init__(self, calls: UnaryCalls, rows: RowsTransport) -> None:
        self._calls = calls
        self._rows = rows

    @property
    def name(self) -> str:
        return self._calls.name

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        return await self._rows.check_locals(rows, deadline=deadline)

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        answer = await self._calls.ask(
            "access.v1.AccessService/VerifyToken",
            access.VerifyTokenRequest(token=token),
            access.VerifyTokenResponse,
            deadline=deadline,
        )
        if answer.verdict not in (access.TokenVerdict.VALID, access.TokenVerdict.INVALID):
            raise PathFailed(self.name, Failure.UNINTELLIGIBLE)
        identity = read_identity(
            token=token,
            is_valid=answer.verdict == access.TokenVerdict.VALID,
            user_id=answer.user_id,
            organization_id=answer.organization_id,
            permissions=answer.permissions,
            said=answer.error_message,
            source=Source.GRPC,
            path=self.name,
        )
        if answer.expires_at <= 0:
            # A lost field must not make a token that never expires.
            raise PathFailed(self.name, Failure.UNINTELLIGIBLE)
        as_of = read_as_of(answer, path=self.name)
        return Verified(identity=identity, expires_at=float(answer.expires_at), as_of=as_of)

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        answer = await self._calls.ask(
            "access.v1.AccessService/GetUserPermissions",
            access.GetUserPermissionsRequest(user_id=user_id),
            access.GetUserPermissionsResponse,
            deadline=deadline,
            not_found=UnknownUser("Auth knows no such user"),
        )
        if not answer.organization_id:
            raise PathFailed(self.name, Failure.UNINTELLIGIBLE)
        as_of = read_as_of(answer, path=self.name)
        return Permitted(
            permissions=frozenset(answer.permissions),
            organization_id=answer.organization_id,
            as_of=as_of,
        )

    async def close(self) -> None:
        await self._rows.close()
