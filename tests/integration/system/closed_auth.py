"""Auth as a whole in this process, closed by keys or certificates, and clients that ask it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from authsvc.app import create_service
from catalogsvc.authz import AuthClient, AuthClientSettings, Decision
from svckit.address import Address
from tests.certificates import Authority, Pem
from tests.processes import free_port
from tests.unit.svckit.seen import Seen

__all__ = ["KEY", "OTHER_KEY", "SAN", "Closed", "Papers", "allowed", "asking", "grpc_alone"]

KEY = "kG7-canary-of-the-catalog-0123456789"
OTHER_KEY = "kZ9-canary-of-somebody-else-98765432"
SAN = "spiffe://portero/catalog"


class Papers:
    """An authority, Auth's own certificate, and the settings that name both."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        self.server = self.authority.issue(ips=["127.0.0.1"], dns=["localhost"])

    @property
    def tls(self) -> dict[str, str]:
        return {"AUTH_TLS_CERT": str(self.server.cert), "AUTH_TLS_KEY": str(self.server.key)}

    @property
    def mtls(self) -> dict[str, str]:
        return {
            **self.tls,
            "AUTH_TLS_CLIENT_CA": str(self.authority.path),
            "AUTH_TLS_CLIENT_NAMES": f"{SAN}=catalog",
        }

    def client(self, pem: Pem | None = None) -> dict[str, str]:
        """The settings of a client that believes the authority, and shows this of itself."""
        own = {} if pem is None else {"tls_cert": str(pem.cert), "tls_key": str(pem.key)}
        return {"tls_ca": str(self.authority.path), **own}


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    grpc: Address
    url: str

    def settings(self, **chosen: Any) -> AuthClientSettings:
        return AuthClientSettings(
            grpc_targets=(str(self.grpc),), rest_urls=(self.url,), timeout_s=5.0, **chosen
        )

    @classmethod
    @asynccontextmanager
    async def serve(cls, folder: Path, environ: Mapping[str, str]) -> AsyncIterator["Closed"]:
        """With the demo's data."""
        grpc = Address("127.0.0.1", free_port())
        service = create_service(
            {
                "AUTH_GRPC_BIND": str(grpc),
                "AUTH_HTTP_BIND": f"127.0.0.1:{free_port()}",
                "AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/auth.db",
                "AUTH_DEMO": "yes",
                **environ,
            }
        )
        async with service.serve() as serving:
            yield cls(grpc=grpc, url=serving.endpoints["REST"])


def grpc_alone(settings: AuthClientSettings) -> AuthClientSettings:
    return replace(settings, rest_urls=())


def rest_alone(settings: AuthClientSettings) -> AuthClientSettings:
    return replace(settings, grpc_targets=())


@asynccontextmanager
async def asking(
    settings: AuthClientSettings, seen: Seen | None = None
) -> AsyncIterator[AuthClient]:
    async with AsyncExitStack() as stack:
        log = None if seen is None else seen.telemetry.log
        yield await stack.enter_async_context(AuthClient(settings, log=log))


async def allowed(client: AuthClient) -> Decision:
    return await client.validate_local(user_id="ana", organization_id="demo", local_id="centro")
