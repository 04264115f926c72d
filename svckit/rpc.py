"""One call as interceptors see it, on the server's and on the client's side, and how they nest.

An interceptor has one concern (trace, log, measure, translate errors). Success is a plain return;
failure is the exception that passes through.
"""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

from svckit.deadline import Deadline

__all__ = ["RpcCall", "CallNext", "Interceptor", "run_intercepted", "service_and_name"]


@dataclass(slots=True, kw_only=True)
class RpcCall:
    """`method` is the full name, "auth.AuthService/ValidateLocal", whatever carries it."""

    method: str
    side: Literal["server", "client"]
    protocol: Literal["grpc", "http"] = "grpc"
    peer: str = ""
    deadline: Deadline | None = None
    # A stream may stay open for hours: no default deadline, and a drain does not wait for it.
    is_streaming: bool = False
    # One question and its answer on a stream: a call like any other, but there may be thousands a
    # second, so its log line is for DEBUG.
    is_on_stream: bool = False
    # A client's interceptors add to it before the call leaves; a server's only read it. It holds
    # credentials.
    metadata: MutableMapping[str, str] = field(default_factory=dict, repr=False)
    # On the server: the names in the client's certificate, which TLS has verified; then which
    # service that is, once the gate has let it in.
    peer_names: tuple[str, ...] = ()
    caller: str = ""

    @property
    def is_infrastructure(self) -> bool:
        """Health and reflection: asked every second by machinery, so neither traced nor logged."""
        return self.method.startswith("grpc.")


CallNext = Callable[[], Awaitable[None]]
Interceptor = Callable[[RpcCall, CallNext], Awaitable[None]]


async def run_intercepted(
    interceptors: Sequence[Interceptor], call: RpcCall, innermost: CallNext
) -> None:
    """Runs `innermost` inside the interceptors; the first in the list is the outermost."""
    call_next = innermost
    for interceptor in reversed(interceptors):
        call_next = partial(interceptor, call, call_next)
    await call_next()


def service_and_name(method: str) -> tuple[str, str]:
    """The proto package and the bare name: "access.v1" and "CheckLocals"."""
    service, _, name = method.rpartition("/")
    return service.rpartition(".")[0], name
