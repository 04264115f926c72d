"""Only services that are known may call, and only what they may."""

from svckit.callers import KEY_HEADER, Credential
from svckit.gate import Gate
from svckit.rpc import CallNext, Interceptor, RpcCall, service_and_name

__all__ = ["guard_calls"]

# Load balancers ask it, and have no credential. Reflection has none to lose by asking for one.
OPEN_SERVICE = "grpc.health.v1"


def guard_calls(gate: Gate) -> Interceptor:
    """Put it innermost: a refusal is a call that ended like any other.

    A stream is admitted once, when it opens.
    """

    async def guard(call: RpcCall, call_next: CallNext, /) -> None:
        service, name = service_and_name(call.method)
        if service != OPEN_SERVICE:
            shown = Credential(key=call.metadata.get(KEY_HEADER), names=call.peer_names)
            rpc = None if call.is_infrastructure else name
            call.caller = gate.admit(shown, rpc=rpc, peer=call.peer)
        await call_next()

    return guard
