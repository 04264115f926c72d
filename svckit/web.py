"""A service's web face: its endpoints, their contract, and what whoever operates it asks for."""

from collections.abc import Sequence
from importlib.metadata import version

from starlette.types import ASGIApp

from svckit.openapi import openapi_document
from svckit.ops import ops_routes
from svckit.readiness import Readiness
from svckit.rest import Endpoint, rest_app
from svckit.telemetry import Telemetry

__all__ = ["operated_app"]


def operated_app(
    endpoints: Sequence[Endpoint],
    *,
    title: str,
    telemetry: Telemetry,
    readiness: Readiness,
    timeout_s: float,
) -> ASGIApp:
    """The endpoints, their contract at /openapi.json, probes and metrics. Put ObserveHttp around.

    Each call of an endpoint ends within `timeout_s`.
    """
    document = openapi_document(endpoints, title=title, version=version("portero"))
    return rest_app(
        endpoints,
        report_bug=telemetry.report_bug,
        timeout_s=timeout_s,
        extra_routes=ops_routes(
            readiness=readiness, registry=telemetry.metrics.registry, openapi=document
        ),
    )
