"""Whom the bearer token of a request speaks for."""

from starlette.requests import Request

from authsvc.service import AuthService, Identity
from authsvc.tokens import BadToken
from svckit.bearer import bearer_token
from svckit.errors import Unauthenticated

__all__ = ["identity_of"]


async def identity_of(request: Request, service: AuthService) -> Identity:
    """With the permissions of now. Raises Unauthenticated, and Unavailable."""
    try:
        return await service.verify_token(bearer_token(request))
    except BadToken as bad:
        raise Unauthenticated(bad.reason) from bad
