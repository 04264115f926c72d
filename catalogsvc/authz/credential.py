"""What this service shows of itself to Auth: a key with each call, a certificate to connect."""

import ssl

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz.call import Clock
from catalogsvc.authz.settings import AuthClientSettings
from svckit.callers import KEY_HEADER
from svckit.rpc import CallNext, Interceptor, RpcCall
from svckit.tls import TlsFiles, client_tls

__all__ = ["show_key", "open_tls"]


def show_key(key: str) -> Interceptor:
    """Put it innermost: nothing that logs or traces a call comes after it."""

    async def show(call: RpcCall, call_next: CallNext, /) -> None:
        call.metadata[KEY_HEADER] = key
        await call_next()

    return show


def open_tls(
    settings: AuthClientSettings, *, protocol: str, log: FilteringBoundLogger, clock: Clock
) -> ssl.SSLContext | None:
    """Raises TlsError."""
    if not settings.tls_ca:
        return None
    files = TlsFiles(cert=settings.tls_cert, key=settings.tls_key, ca=settings.tls_ca)
    return client_tls(files, protocol=protocol, log=log.bind(protocol=protocol), clock=clock)
