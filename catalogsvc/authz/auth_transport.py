"""The first published contract, auth.proto: one RPC a row, and no word about revisions."""

from collections.abc import Sequence

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.at_once import ask_at_once
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.model import Decision, Row, Source
from catalogsvc.authz.transport import AsOf, Checked, Permitted, Verified
from catalogsvc.authz.unary import UnaryCalls
from generated import auth
from svckit.deadline import Deadline

__all__ = ["AuthTransport"]


class AuthTransport:
    """A Transport but for its end: the calls are not its own."""

    __slots__ = ("_calls", "_rows_at_once_max")

    def __init__(self, calls: UnaryCalls, *, rows_at_once_max: int) -> None:
        self._calls = calls
        self._rows_at_once_max = rows_at_once_max

    @property
    def name(self) -> str:
        return self._calls.name

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        async def ask(row: Row) -> Decision:
            return await self._check(row, deadline)

        decisions = await ask_at_once(ask, rows, lanes_max=self._rows_at_once_max)
        return Checked(
            reasons=[decision.reason for decision in decisions],
            local_names=[decision.local_name for decision in decisions],
            as_of=AsOf(),
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        answer = await self._calls.ask(
            "auth.AuthService/VerifyToken",
            auth.VerifyTokenRequest(token=token),
            auth.VerifyTokenResponse,
            deadline=deadline,
        )
        identity = read_identity(
            token=token,
            is_valid=answer.is_valid,
            user_id=answer.user_id,
            organization_id=answer.organization_id,
            permissions=answer.permissions,
            said=answer.error_message,
            source=Source.GRPC,
            path=self.name,
        )
        return Verified(identity=identity, expires_at=None, as_of=AsOf())

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        answer = await self._calls.ask(
            "auth.AuthService/GetUserPermissions",
            auth.GetUserPermissionsRequest(user_id=user_id),
            auth.GetUserPermissionsResponse,
            deadline=deadline,
            not_found=UnknownUser("Auth knows no such user"),
        )
        permissions = frozenset(answer.permissions)
        return Permitted(permissions=permissions, organization_id="", as_of=AsOf())

    async def _check(self, row: Row, deadline: Deadline) -> Decision:
        user_id, organization_id, local_id = row
        answer = await self._calls.ask(
            "auth.AuthService/ValidateLocal",
            auth.ValidateLocalRequest(
                user_id=user_id, organization_id=organization_id, local_id=local_id
            ),
            auth.ValidateLocalResponse,
            deadline=deadline,
        )
        return read_decision(
            is_valid=answer.is_valid,
            local_name=answer.local_name,
            said=answer.error_message,
            source=Source.GRPC,
            path=self.name,
        )
