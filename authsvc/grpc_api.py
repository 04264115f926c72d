"""The three RPCs of `auth.proto`. Failures are raised; interceptors put them on the wire."""

from authsvc.service import AuthService
from authsvc.tokens import BadToken
from authsvc.wire import bad_token_message, identity_message, query_of, verdict_message
from generated.auth import (
    AuthServiceBase,
    GetUserPermissionsRequest,
    GetUserPermissionsResponse,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenRequest,
    VerifyTokenResponse,
)

__all__ = ["AuthGrpc"]


class AuthGrpc(AuthServiceBase):
    def __init__(self, service: AuthService) -> None:
        self._service = service

    async def validate_local(
        self, validate_local_request: ValidateLocalRequest
    ) -> ValidateLocalResponse:
        return verdict_message(await self._service.validate_local(query_of(validate_local_request)))

    async def verify_token(self, verify_token_request: VerifyTokenRequest) -> VerifyTokenResponse:
        try:
            identity = await self._service.verify_token(verify_token_request.token)
        except BadToken as bad:
            return bad_token_message(bad)
        return identity_message(identity)

    async def get_user_permissions(
        self, get_user_permissions_request: GetUserPermissionsRequest
    ) -> GetUserPermissionsResponse:
        held = await self._service.user_permissions(get_user_permissions_request.user_id)
        return GetUserPermissionsResponse(permissions=list(held.permissions))
