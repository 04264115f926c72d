"""The routes an operator's tools ask of any service: alive, ready, metrics, contract."""

from collections.abc import Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from svckit.metrics import metrics_response
from svckit.readiness import Readiness
from svckit.rest import json_answer

__all__ = ["ops_routes"]


def ops_routes(
    *, readiness: Readiness, registry: CollectorRegistry, openapi: Mapping[str, Any]
) -> list[Route]:
    """`/livez` answers while the loop turns; `/readyz` is 503 with the reasons when not ready."""

    async def livez(_: Request) -> Response:
        return json_answer({"status": "alive"})

    async def readyz(_: Request) -> Response:
        report = readiness.report()
        reasons = dict(report.failures)
        if report.is_draining:
            reasons["drain"] = "shutting down"
        answer = {"status": "ready" if report.is_ready else "not ready", "reasons": reasons}
        return json_answer(answer, status=200 if report.is_ready else 503)

    async def metrics(_: Request) -> Response:
        return metrics_response(registry)

    async def document(_: Request) -> Response:
        return json_answer(openapi)

    return [
        Route("/livez", livez),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
        Route("/openapi.json", document),
    ]
