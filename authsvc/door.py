"""How Auth's two ports are closed, as the settings say: TLS, and who may call."""

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from authsvc.settings import PREFIX, AuthSettings
from svckit.gate import Gate, OnRefused
from svckit.interceptors.callers import guard_calls
from svckit.rest import Endpoint
from svckit.rest_callers import guard_endpoints
from svckit.rpc import Interceptor
from svckit.tls import TlsError, TlsFiles, own_port_tls, server_tls

__all__ = ["Door", "open_door"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Without a `gate`, whoever reaches the ports may ask. Without TLS, they are plain."""

    gate: Gate | None
    grpc_tls: ssl.SSLContext | None
    http_tls: ssl.SSLContext | None

    @property
    def interceptors(self) -> tuple[Interceptor, ...]:
        """To put innermost."""
        return () if self.gate is None else (guard_calls(self.gate),)

    @property
    def own_tls(self) -> ssl.SSLContext | None:
        """To ask our own gRPC port."""
        return None if self.grpc_tls is None else own_port_tls()

    @property
    def http_scheme(self) -> str:
        return "http" if self.http_tls is None else "https"

    def guarded(self, endpoints: Sequence[Endpoint]) -> Sequence[Endpoint]:
        return endpoints if self.gate is None else guard_endpoints(endpoints, self.gate)


def open_door(settings: AuthSettings, log: FilteringBoundLogger, on_refused: OnRefused) -> Door:
    """Raises TlsError when the files cannot be used. Needs a running event loop."""
    callers, clock = settings.callers, asyncio.get_running_loop().time
    if settings.insecure:
        log.warning("insecure", setting=f"{PREFIX}INSECURE", is_open=not callers)
    gate = Gate(callers, log=log, clock=clock, on_refused=on_refused) if callers else None
    if not settings.tls_cert:
        _warn_of_plain_text(settings, log)
        return Door(gate=gate, grpc_tls=None, http_tls=None)
    files = TlsFiles(cert=settings.tls_cert, key=settings.tls_key, ca=settings.tls_client_ca)
    try:
        return Door(
            gate=gate,
            grpc_tls=server_tls(files, protocol="h2", log=log.bind(port="gRPC"), clock=clock),
            http_tls=server_tls(files, protocol="http/1.1", log=log.bind(port="REST"), clock=clock),
        )
    except TlsError as exc:
        raise TlsError(f"{PREFIX}TLS_CERT, _KEY, _CLIENT_CA: {exc}") from exc


def _warn_of_plain_text(settings: AuthSettings, log: FilteringBoundLogger) -> None:
    """Keys tell who asks; only TLS keeps what they ask, and the keys, from who listens."""
    exposed = [str(a) for a in (settings.grpc_bind, settings.http_bind) if not a.is_loopback]
    if exposed:
        log.warning(
            "plain_text_beyond_loopback",
            ports=exposed,
            advice="keys, tokens and passwords can be read on the way: set AUTH_TLS_CERT and "
            "AUTH_TLS_KEY, or let only a proxy that speaks TLS reach these ports",
        )
