"""An OTLP/HTTP receiver: what a collector would have got."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

__all__ = ["OtlpReceiver", "otlp_receiver", "resource_attributes"]


@dataclass(slots=True)
class OtlpReceiver:
    """`endpoint` is what OTEL_EXPORTER_OTLP_ENDPOINT wants; `received` what came, in order."""

    endpoint: str = ""
    received: list[ResourceSpans] = field(default_factory=list)

    def spans_of(self, service_name: str) -> list[Span]:
        return [
            span
            for resource in self.received
            if resource_attributes(resource).get("service.name") == service_name
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def resource_attributes(spans: ResourceSpans) -> dict[str, str]:
    return {item.key: item.value.string_value for item in spans.resource.attributes}


@asynccontextmanager
async def otlp_receiver() -> AsyncIterator[OtlpReceiver]:
    receiver = OtlpReceiver()

    async def receive(request: web.Request) -> web.Response:
        export = ExportTraceServiceRequest.FromString(await request.read())
        receiver.received.extend(export.resource_spans)
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    app = web.Application()
    app.router.add_post("/v1/traces", receive)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.endpoint = f"http://{host}:{port}"
        yield receiver
    finally:
        await runner.cleanup()
