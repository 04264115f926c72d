"""The bearer token of a request."""

import re

from starlette.requests import Request

from svckit.errors import Unauthenticated

__all__ = ["bearer_token"]


def bearer_token(request: Request) -> str:
    """RFC 6750, section 2.1. Raises Unauthenticated."""
    credentials = request.headers.getlist("authorization")
    if not credentials:
        raise Unauthenticated("a bearer token is needed")
    match = re.fullmatch(r"(?i:bearer) +([A-Za-z0-9\-._~+/]+=*)", credentials[0])
    if len(credentials) > 1 or match is None:
        raise Unauthenticated("the authorization header is not one bearer token")
    return match[1]
