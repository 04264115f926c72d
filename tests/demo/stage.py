"""The stage of the demo: Auth and Catalog as processes, and a cut-able wire between them."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter

import aiohttp

from svckit.address import Address
from tests.processes import authctl, free_port, run_services
from tests.proxy import Proxy, open_proxy

__all__ = ["Stage", "Reply", "open_stage"]

WAIT_BOUND_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the Catalog answered: where the decision came from, and why not if not."""

    status: int
    source: str
    detail: str
    retry_after: str
    took_ms: float


@dataclass(slots=True, kw_only=True)
class Stage:
    environ: dict[str, str]
    catalog_url: str
    grpc_port: int
    http_port: int
    proxy: Proxy
    http: aiohttp.ClientSession
    tokens: dict[str, str] = field(default_factory=dict)
    _auth_stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def start_auth(self) -> None:
        ports = (self.grpc_port, self.http_port)
        await self._auth_stack.enter_async_context(
            run_services("authsvc", environ=self.environ, ports=ports)
        )

    async def stop_auth(self) -> None:
        await self._auth_stack.aclose()
        self._auth_stack = AsyncExitStack()

    async def authctl(self, *arguments: str) -> str:
        code, output = await authctl(*arguments, environ=self.environ)
        assert code == 0, output
        return output.strip()

    async def list_products(self, user: str, local: str) -> Reply:
        """GET the products of `local` as `user`."""
        if user not in self.tokens:
            self.tokens[user] = await self.authctl("token", "issue", user)
        started = perf_counter()
        async with self.http.get(
            f"{self.catalog_url}/api/v1/locals/{local}/products",
            headers={"authorization": f"Bearer {self.tokens[user]}"},
        ) as response:
            body = await response.json(content_type=None)
        return Reply(
            status=response.status,
            source=response.headers.get("x-auth-source", ""),
            detail=body.get("detail", ""),
            retry_after=response.headers.get("retry-after", ""),
            took_ms=(perf_counter() - started) * 1000,
        )

    @asynccontextmanager
    async def asking(self, user: str, local: str) -> AsyncIterator[None]:
        """Asks again and again while the body runs."""

        async def ask() -> None:
            while True:
                await self.list_products(user, local)
                await asyncio.sleep(0.05)

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(ask(), name="asking")
            yield
            task.cancel()

    async def list_until(
        self, user: str, local: str, *, status: int, source: str = "", meanwhile: tuple[int, ...]
    ) -> Reply:
        """Asks until the answer is as wanted, or is of no status in `meanwhile`; the last answer.

        Its `took_ms` is the time from the first question on.
        """
        started = perf_counter()
        while True:
            reply = await self.list_products(user, local)
            took_s = perf_counter() - started
            is_there = reply.status == status and (not source or reply.source == source)
            if is_there or reply.status not in meanwhile or took_s > WAIT_BOUND_S:
                return replace(reply, took_ms=took_s * 1000)
            await asyncio.sleep(0.02)


@asynccontextmanager
async def open_stage(folder: Path) -> AsyncIterator[Stage]:
    grpc_port, http_port, catalog_port = free_port(), free_port(), free_port()
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(open_proxy(Address("127.0.0.1", grpc_port)))
        environ = {
            "AUTH_GRPC_BIND": f"127.0.0.1:{grpc_port}",
            "AUTH_HTTP_BIND": f"127.0.0.1:{http_port}",
            "AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/auth.db",
            "AUTH_DEMO": "yes",
            "CATALOG_DEMO": "yes",
            "CATALOG_HTTP_BIND": f"127.0.0.1:{catalog_port}",
            "CATALOG_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/catalog.db",
            "CATALOG_AUTH_GRPC_TARGETS": str(proxy.address),
            "CATALOG_AUTH_REST_URLS": f"http://127.0.0.1:{http_port}",
            # The default of 60 s would make the last act of the story a long one.
            "CATALOG_AUTH_BREAKER_COOLDOWN_S": "1",
            "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
        }
        http = await stack.enter_async_context(aiohttp.ClientSession())
        stage = Stage(
            environ=environ,
            catalog_url=f"http://127.0.0.1:{catalog_port}",
            grpc_port=grpc_port,
            http_port=http_port,
            proxy=proxy,
            http=http,
        )
        stack.push_async_callback(stage.stop_auth)
        await stage.start_auth()
        await stack.enter_async_context(
            run_services("catalogsvc", environ=environ, ports=(catalog_port,))
        )
        yield stage
