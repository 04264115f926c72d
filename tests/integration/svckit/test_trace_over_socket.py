"""One trace from the client's span to the server's: in memory it would be there by accident."""

from generated.auth import AuthServiceStub, ValidateLocalRequest, ValidateLocalResponse
from svckit.interceptors import client_interceptors
from svckit.rpc import RpcCall, run_intercepted
from tests.integration.svckit.serving import FakeAuth, channel_to, served
from tests.unit.svckit.seen import Seen


async def test_the_servers_span_is_a_child_of_the_clients() -> None:
    client = Seen("catalog")
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="client")

    async with served() as serving, channel_to(serving) as channel:

        async def ask() -> None:
            metadata: dict[str, str | bytes] = {**call.metadata}
            await AuthServiceStub(channel).validate_local(
                ValidateLocalRequest(), timeout=5.0, metadata=metadata
            )

        with client.telemetry.tracing.tracer.start_as_current_span("a request"):
            await run_intercepted(client_interceptors(client.telemetry), call, ask)

    asking, request = client.spans
    asked = serving.seen.span()
    assert asked.parent is not None
    assert asking.context is not None
    assert request.context is not None
    assert asked.parent.span_id == asking.context.span_id
    assert asked.parent.trace_id == request.context.trace_id
    assert asked.parent.is_remote
    assert (
        asked.resource.attributes["service.name"],
        asking.resource.attributes["service.name"],
    ) == ("auth", "catalog")


async def test_log_lines_on_both_sides_carry_the_same_trace_id() -> None:
    client = Seen("catalog")
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="client")

    async def answer(_: ValidateLocalRequest) -> ValidateLocalResponse:
        serving.seen.telemetry.log.info("deciding")
        return ValidateLocalResponse()

    async with served(FakeAuth(answer)) as serving, channel_to(serving) as channel:

        async def ask() -> None:
            metadata: dict[str, str | bytes] = {**call.metadata}
            await AuthServiceStub(channel).validate_local(
                ValidateLocalRequest(), timeout=5.0, metadata=metadata
            )

        await run_intercepted(client_interceptors(client.telemetry), call, ask)

    lines = [*client.lines("rpc"), *serving.seen.lines("rpc"), *serving.seen.lines("deciding")]
    assert len(lines) == 3
    assert len({line["trace_id"] for line in lines}) == 1
