"""Auth over REST: the same questions as over gRPC, and how Auth itself is doing."""

import ssl
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from authsvc.as_of import AsOf, told
from authsvc.columns import read_columns
from authsvc.decision import Reason
from authsvc.rest_access import AccessRest, AnswerAsOf
from authsvc.service import AuthService
from authsvc.tokens import BadToken
from svckit.address import Address
from svckit.errors import DeadlineExceeded, InvalidRequest, NotFound, TooLarge, Unavailable
from svckit.grpc_health import Health, SharedHealth, check_health
from svckit.ids import check_id
from svckit.rest import Endpoint, json_answer, path_id, read_body, read_query

__all__ = ["AuthRest"]

HEALTH_TIMEOUT_S = 1.0
NOT_SAID = AsOf(database_id="", revision=0, age_s=0.0)


class LocalQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: str
    organization_id: str


class LocalAnswer(AnswerAsOf, frozen=True, kw_only=True):
    """`reason` is ALLOWED on a yes; `error_message` repeats it on a no, as over gRPC."""

    is_valid: bool
    local_name: str
    reason: Reason
    error_message: str


class TokenQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    token: str


class TokenAnswer(AnswerAsOf, frozen=True, kw_only=True):
    """`expires_at` is in seconds since 1970. A bad token says nothing but why it is one."""

    is_valid: bool
    user_id: str = ""
    organization_id: str = ""
    permissions: tuple[str, ...] = ()
    error_message: str = ""
    expires_at: int = 0


class PermissionsAnswer(AnswerAsOf, frozen=True, kw_only=True):
    permissions: tuple[str, ...]
    organization_id: str


class HealthAnswer(msgspec.Struct, frozen=True, kw_only=True):
    status: str


class AuthRest:
    """`/health/grpc` asks this very process at `grpc_address`, by `grpc_tls` where that has TLS."""

    def __init__(
        self,
        service: AuthService,
        *,
        grpc_address: Address,
        grpc_tls: ssl.SSLContext | None = None,
    ) -> None:
        self._service = service
        # Anybody may ask, and each check is a connection to ourselves.
        self._health = SharedHealth(
            lambda: check_health(grpc_address, timeout_s=HEALTH_TIMEOUT_S, tls=grpc_tls)
        )

    def endpoints(self) -> Sequence[Endpoint]:
        down = (Unavailable, DeadlineExceeded)
        return (
            Endpoint(
                method="GET",
                path="/api/v1/locals/{local_id}/validate",
                rpc="ValidateLocal",
                summary="May this user of this organization enter this local?",
                answer=self.validate_local,
                query=LocalQuestion,
                result=LocalAnswer,
                failures=(InvalidRequest, *down),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/tokens/verify",
                rpc="VerifyToken",
                summary="What is this token worth?",
                answer=self.verify_token,
                body=TokenQuestion,
                result=TokenAnswer,
                failures=(InvalidRequest, TooLarge, *down),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/users/{user_id}/permissions",
                rpc="GetUserPermissions",
                summary="Which permissions has this user?",
                answer=self.user_permissions,
                result=PermissionsAnswer,
                failures=(InvalidRequest, NotFound, *down),
            ),
            Endpoint(
                method="GET",
                path="/health/grpc",
                summary="Does the gRPC port answer, and what does it say of itself?",
                answer=self.grpc_health,
                result=HealthAnswer,
                failures=(Unavailable,),
            ),
            *AccessRest(self._service).endpoints(),
        )

    async def validate_local(self, request: Request) -> Response:
        question = read_query(request, LocalQuestion)
        columns = read_columns(
            user_ids=(check_id("user_id", question.user_id),),
            organization_ids=(check_id("organization_id", question.organization_id),),
            local_ids=(path_id(request, "local_id"),),
        )
        decided, as_of = await self._service.check_locals(columns)
        reason = decided.reasons[0]
        is_valid = reason is Reason.ALLOWED
        answer = LocalAnswer(
            is_valid=is_valid,
            local_name=decided.local_names[0],
            reason=reason,
            error_message="" if is_valid else reason,
            **told(as_of),
        )
        return json_answer(answer)

    async def verify_token(self, request: Request) -> Response:
        question = await read_body(request, TokenQuestion)
        try:
            identity = await self._service.verify_token(question.token)
        except BadToken as bad:
            refused = TokenAnswer(is_valid=False, error_message=bad.reason, **told(NOT_SAID))
            return json_answer(refused)
        answer = TokenAnswer(
            is_valid=True,
            user_id=identity.user_id,
            organization_id=identity.organization_id,
            permissions=identity.permissions,
            expires_at=identity.expires_at,
            **told(identity.as_of),
        )
        return json_answer(answer)

    async def user_permissions(self, request: Request) -> Response:
        held = await self._service.user_permissions(path_id(request, "user_id"))
        answer = PermissionsAnswer(
            permissions=held.permissions,
            organization_id=held.organization_id,
            **told(held.as_of),
        )
        return json_answer(answer)

    async def grpc_health(self, _: Request) -> Response:
        health = await self._health.health(timeout_s=HEALTH_TIMEOUT_S)
        if health is not Health.SERVING:
            raise Unavailable(f"gRPC is {health}")
        return json_answer(HealthAnswer(status="healthy"))
