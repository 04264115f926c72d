"""The REST side of the gate: an endpoint that asks what an RPC asks is as closed as the RPC."""

from collections.abc import Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from svckit.callers import KEY_HEADER, Credential
from svckit.errors import Forbidden, Unauthenticated
from svckit.gate import Gate
from svckit.http_server import PEER_NAMES
from svckit.rest import Endpoint

__all__ = ["guard_endpoints"]


def guard_endpoints(endpoints: Sequence[Endpoint], gate: Gate) -> tuple[Endpoint, ...]:
    """Those with an `rpc` ask for a service's credential; the others stay as they are."""
    return tuple(_guarded(endpoint, gate) if endpoint.rpc else endpoint for endpoint in endpoints)


def _guarded(endpoint: Endpoint, gate: Gate) -> Endpoint:
    async def answer(request: Request) -> Response:
        gate.admit(
            Credential(
                key=_key(request),
                names=request.scope.get("state", {}).get(PEER_NAMES, ()),
            ),
            rpc=endpoint.rpc,
            peer=request.client.host if request.client else "",
        )
        return await endpoint.answer(request)

    failures = (*endpoint.failures, Unauthenticated, Forbidden)
    return replace(endpoint, answer=answer, failures=failures)


def _key(request: Request) -> str | None:
    keys = request.headers.getlist(KEY_HEADER)
    return ", ".join(keys) if keys else None
