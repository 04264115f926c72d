"""One request to the Catalog is one trace, through every process it touches."""

import asyncio

import aiohttp
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.system.conftest import Place
from tests.otlp import OtlpReceiver, otlp_receiver
from tests.processes import authctl, run_services

LISTING = "GET /api/v1/locals/{local_id}/products"
METHOD = "access.v1.AccessService/CheckLocals"
REST_METHOD = "access.v1.AccessService/BatchCheckLocals"


async def arrived(
    receiver: OtlpReceiver,
    service: str,
    name: str,
    *,
    below: Span | None = None,
    above: Span | None = None,
) -> Span:
    """The span of that name, once it has come: the child of `below`, the parent of `above`."""
    async with asyncio.timeout(15):
        while True:
            for span in receiver.spans_of(service):
                is_child = below is None or span.parent_span_id == below.span_id
                is_parent = above is None or span.span_id == above.parent_span_id
                if span.name == name and is_child and is_parent:
                    return span
            await asyncio.sleep(0.05)


async def trace_of_one_listing(place: Place, environ: dict[str, str]) -> None:
    _, token = await authctl("token", "issue", "ana", environ=environ)
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{place.catalog_port}/api/v1/locals/centro/products"
        headers = {"authorization": f"Bearer {token.strip()}"}
        async with http.get(url, headers=headers) as response:
            assert response.status == 200


async def test_catalog_http_client_call_auth_server_and_store_are_one_trace(place: Place) -> None:
    async with otlp_receiver() as receiver:
        environ = {
            **place.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
        }
        async with (
            run_services("authsvc", environ=environ, ports=place.ports[:2]),
            run_services("catalogsvc", environ=environ, ports=place.ports[2:]),
        ):
            await trace_of_one_listing(place, environ)
            http = await arrived(receiver, "catalog", LISTING)
            client = await arrived(receiver, "catalog", METHOD, below=http)
            server = await arrived(receiver, "auth", METHOD, below=client)
            query = await arrived(receiver, "auth", "SELECT", below=server)

    assert {http.trace_id} == {client.trace_id, server.trace_id, query.trace_id}
    assert (client.kind, server.kind) == (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER)
    texts = [item.value.string_value for item in query.attributes]
    assert not any("ana" in text or "centro" in text for text in texts)


async def test_the_rest_fallback_carries_the_trace_too(place: Place) -> None:
    async with otlp_receiver() as receiver:
        environ = {
            **place.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            # Nothing listens there.
            "CATALOG_AUTH_GRPC_TARGETS": "127.0.0.1:1",
        }
        async with (
            run_services("authsvc", environ=environ, ports=place.ports[:2]),
            run_services("catalogsvc", environ=environ, ports=place.ports[2:]),
        ):
            await trace_of_one_listing(place, environ)
            http = await arrived(receiver, "catalog", LISTING)
            server = await arrived(receiver, "auth", "POST /api/v1/locals/validate")
            # The call over gRPC, which failed, and the one over REST.
            client = await arrived(receiver, "catalog", REST_METHOD, above=server)

    assert server.trace_id == http.trace_id
    assert client.parent_span_id == http.span_id
