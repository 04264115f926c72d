"""The whole Catalog on a real socket, turned to a fake Auth on another."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from catalogsvc.app import create_service
from tests.integration.catalogsvc.fake_auth import FakeAuth, serve_fake_auth
from tests.processes import free_port

__all__ = ["Catalog"]


class Catalog:
    """Not started yet: `start` it, and `stop` it or let the fixture do so."""

    def __init__(self, environ: dict[str, str], http: aiohttp.ClientSession) -> None:
        self.environ = environ
        self.http = http
        self.url = ""
        self._stack = AsyncExitStack()

    async def start(self) -> None:
        service = create_service(self.environ)
        serving = await self._stack.enter_async_context(service.serve())
        self.url = serving.endpoints["REST"]

    async def stop(self) -> None:
        await self._stack.aclose()

    def products(
        self, user: str, local_id: str = "centro", **headers: str
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        headers["authorization"] = f"Bearer {user}"
        return self.http.get(f"{self.url}/api/v1/locals/{local_id}/products", headers=headers)


@pytest.fixture
async def auth() -> AsyncIterator[FakeAuth]:
    async with serve_fake_auth() as auth:
        yield auth


@pytest.fixture
def environ(auth: FakeAuth, tmp_path: Path) -> dict[str, str]:
    return {
        "CATALOG_HTTP_BIND": f"127.0.0.1:{free_port()}",
        "CATALOG_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/catalog.db",
        "CATALOG_DEMO": "yes",
        "CATALOG_AUTH_GRPC_TARGETS": auth.address,
        # This Auth was built from the first contract, and tells no changes.
        "CATALOG_AUTH_CACHE_WITHOUT_FEED": "yes",
    }


@pytest.fixture
async def catalog(environ: dict[str, str]) -> AsyncIterator[Catalog]:
    async with aiohttp.ClientSession() as http:
        catalog = Catalog(environ, http)
        yield catalog
        await catalog.stop()
