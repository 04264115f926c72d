"""A request that is nothing but its credentials."""

from collections.abc import Sequence

from starlette.requests import Request

__all__ = ["request_with"]


def request_with(credentials: Sequence[str]) -> Request:
    headers = [(b"authorization", value.encode("latin-1")) for value in credentials]
    return Request({"type": "http", "headers": headers})
