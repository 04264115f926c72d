"""Certificates and keys are replaced while questions are asked, and no question fails."""

import asyncio
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalogsvc.authz import AuthClient, AuthClientSettings
from svckit.address import Address
from svckit.grpc_health import Health, check_health
from svckit.tls import own_port_tls
from tests.integration.svckit.serving import wait_until
from tests.integration.system.closed_auth import (
    KEY,
    OTHER_KEY,
    SAN,
    Closed,
    Papers,
    allowed,
    grpc_alone,
    rest_alone,
)

UNCACHED = {"max_staleness_s": 0.0}


@dataclass(slots=True)
class Load:
    """Questions asked one after the other by each client, until the end of the block."""

    answers: int = 0
    failures: list[Exception] = field(default_factory=list)

    async def ask(self, settings: AuthClientSettings) -> None:
        async with AuthClient(settings) as client:
            while True:
                try:
                    assert await allowed(client)
                    self.answers += 1
                except Exception as exc:  # noqa: BLE001 # each of them is a failed question
                    self.failures.append(exc)

    async def ask_anew(self, settings: AuthClientSettings) -> None:
        """With a connection for each question."""
        while True:
            async with AuthClient(settings) as client:
                try:
                    assert await allowed(client)
                    self.answers += 1
                except Exception as exc:  # noqa: BLE001 # as above
                    self.failures.append(exc)

    async def goes_on(self, answers: int = 50) -> None:
        """Until so many more have been answered."""
        enough = self.answers + answers
        await wait_until(lambda: self.answers >= enough or self.failures != [])


@asynccontextmanager
async def load(*settings: AuthClientSettings) -> AsyncIterator[Load]:
    asked = Load()
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(asked.ask(s)) for s in settings]
        running += [tasks.create_task(asked.ask_anew(s)) for s in settings]
        try:
            await asked.goes_on()
            yield asked
        finally:
            for task in running:
                task.cancel()


async def number_of(address: Address, context: ssl.SSLContext) -> str:
    reader, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    del reader
    number: str = writer.get_extra_info("peercert")["serialNumber"]
    writer.transport.abort()
    return number


async def test_auths_certificate_is_replaced_under_load_without_a_failed_question(
    tmp_path: Path,
) -> None:
    papers = Papers(tmp_path / "papers")
    looking = ssl.create_default_context(cafile=str(papers.authority.path))
    own = papers.client(papers.authority.issue(uris=[SAN]))
    async with Closed.serve(tmp_path, papers.mtls) as auth:
        settings = auth.settings(**own, **UNCACHED)
        async with load(grpc_alone(settings), rest_alone(settings)) as asked:
            old = await number_of(auth.grpc, looking)
            fresh = papers.authority.issue(ips=["127.0.0.1"], dns=["localhost"])
            shutil.copy(fresh.cert, papers.server.cert)
            await asked.goes_on()  # with files that do not fit
            shutil.copy(fresh.key, papers.server.key)

            async with asyncio.timeout(10.0):
                while await number_of(auth.grpc, looking) == old:  # noqa: ASYNC110 # files have no event to wait for
                    await asyncio.sleep(0.05)
            await asked.goes_on()
            health = await check_health(auth.grpc, timeout_s=5.0, tls=own_port_tls())

    assert asked.failures == []
    assert health is Health.SERVING


async def test_a_services_key_is_replaced_under_load_without_a_failed_question(
    tmp_path: Path,
) -> None:
    old = {"AUTH_SERVICE_KEYS": f"catalog:{KEY}"}
    both = {"AUTH_SERVICE_KEYS": f"catalog:{KEY},catalog:{OTHER_KEY}"}
    new = {"AUTH_SERVICE_KEYS": f"catalog:{OTHER_KEY}"}
    async with Auths.started(tmp_path, old) as auths:
        async with load(grpc_alone(auths.settings(KEY))) as asked:
            await auths.restart_each(both, asked)
            assert asked.failures == []
        async with load(
            grpc_alone(auths.settings(KEY)), grpc_alone(auths.settings(OTHER_KEY))
        ) as asked:
            assert asked.failures == []
        async with load(grpc_alone(auths.settings(OTHER_KEY))) as asked:
            await auths.restart_each(new, asked)
            assert asked.failures == []


class Auths:
    """Two of them on one database, each of which can be restarted where it was."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stacks = [AsyncExitStack(), AsyncExitStack()]
        self._places: list[Closed] = []

    @classmethod
    @asynccontextmanager
    async def started(cls, folder: Path, environ: dict[str, str]) -> AsyncIterator["Auths"]:
        auths = cls(folder)
        try:
            for stack in auths._stacks:
                serving = Closed.serve(folder, environ)
                auths._places.append(await stack.enter_async_context(serving))
            yield auths
        finally:
            for stack in auths._stacks:
                await stack.aclose()

    def settings(self, key: str) -> AuthClientSettings:
        return AuthClientSettings(
            grpc_targets=tuple(str(place.grpc) for place in self._places),
            service_key=key,
            max_staleness_s=0.0,
            # What was restarted is asked again before the next one is.
            breaker_cooldown_s=0.1,
        )

    async def restart_each(self, environ: dict[str, str], asked: Load) -> None:
        for stack, place in zip(self._stacks, self._places, strict=True):
            await stack.aclose()
            here = {"AUTH_GRPC_BIND": str(place.grpc)}
            await stack.enter_async_context(Closed.serve(self._folder, {**environ, **here}))
            await asked.goes_on()
