"""What the proofs of freshness over real sockets share: the Auths, the polling, the deaf wire.

All times are of one clock, which every process of the machine reads alike and which goes on while
one of them stands still.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from authsvc.store import Store
from catalogsvc.authz import AuthClient, AuthClientSettings, AuthUnavailable, Decision, Source
from svckit.address import Address
from svckit.database import open_database
from svckit.deadline import Deadline
from svckit.lease_clock import lease_clock as now
from tests.processes import Running, free_port, run_services

__all__ = [
    "MAX_STALENESS_S",
    "QUESTION",
    "Auth",
    "DeafProxy",
    "Poll",
    "client_of",
    "is_no",
    "last_yes_at",
    "now",
    "open_deaf_proxy",
    "open_store",
    "poll",
    "poll_until",
    "run_auths",
    "wait_until_cached",
]

# The least that the ticks of a quarter of it leave room for on a busy machine.
MAX_STALENESS_S = 1.0
# Whom the demo lets in, and who is revoked here.
QUESTION = {"user_id": "ana", "organization_id": "demo", "local_id": "centro"}
PATIENCE_S = 0.05
BOUND_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Auth:
    address: Address
    running: Running

    def stop(self) -> None:
        self.running.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.running.process.send_signal(signal.SIGCONT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """`called_at` is before the call: what it was answered was so no earlier."""

    called_at: float
    decision: Decision | None


@asynccontextmanager
async def run_auths(count: int, *, database_url: str) -> AsyncIterator[list[Auth]]:
    """So many processes on one database, with the demo's data in it."""
    async with AsyncExitStack() as stack:
        auths = []
        for number in range(count):
            grpc_port, http_port = free_port(), free_port()
            environ = {
                "AUTH_GRPC_BIND": f"127.0.0.1:{grpc_port}",
                "AUTH_HTTP_BIND": f"127.0.0.1:{http_port}",
                "AUTH_DATABASE_URL": database_url,
                "AUTH_DEMO": "no" if number else "yes",
            }
            running = await stack.enter_async_context(
                run_services("authsvc", environ=environ, ports=(grpc_port, http_port))
            )
            # Whatever happens, none may be left standing still: it could not be ended.
            stack.callback(_resume, running)
            auths.append(Auth(address=Address("127.0.0.1", grpc_port), running=running))
        yield auths


def _resume(running: Running) -> None:
    with suppress(ProcessLookupError):
        running.process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def open_store(database_url: str) -> AsyncIterator[Store]:
    """The store as `authctl` opens it: a change in it comes from another process than Auth's."""
    engine = open_database(database_url)
    try:
        yield Store(engine)
    finally:
        await engine.dispose()


def client_of(*addresses: Address) -> AuthClient:
    """Its breakers do not outlast an outage by much."""
    return AuthClient(
        AuthClientSettings(
            grpc_targets=tuple(map(str, addresses)),
            max_staleness_s=MAX_STALENESS_S,
            breaker_cooldown_s=0.2,
        )
    )


async def poll(client: AuthClient) -> Poll:
    """Asks once, without patience."""
    called_at = now()
    deadline = Deadline.after(PATIENCE_S, now=asyncio.get_running_loop().time())
    try:
        decision = await client.validate_local(**QUESTION, deadline=deadline)
    except AuthUnavailable:
        return Poll(called_at=called_at, decision=None)
    return Poll(called_at=called_at, decision=decision)


async def poll_until(client: AuthClient, is_enough: Callable[[Poll], bool]) -> list[Poll]:
    """Every millisecond."""
    polls = []
    async with asyncio.timeout(BOUND_S):
        while True:
            polls.append(await poll(client))
            if is_enough(polls[-1]):
                return polls
            await asyncio.sleep(0.001)


async def wait_until_cached(clients: Sequence[AuthClient]) -> None:
    for client in clients:
        await poll_until(client, is_cached_yes)


def is_cached_yes(polled: Poll) -> bool:
    decision = polled.decision
    return decision is not None and decision.is_valid and decision.source is Source.CACHE


def is_no(polled: Poll) -> bool:
    return polled.decision is not None and not polled.decision


def last_yes_at(polls: Sequence[Poll]) -> float:
    return max((p.called_at for p in polls if p.decision), default=float("-inf"))


class DeafProxy:
    """Forwards bytes until it is told to swallow them, in one direction or both: nobody is told."""

    def __init__(self, upstream: Address) -> None:
        self.upstream = upstream
        self.address = Address("127.0.0.1", 0)
        self.swallows_questions = False
        self.swallows_answers = False
        self._writers: set[asyncio.StreamWriter] = set()
        # Connections that were made before are dead for good, those that come later are not.
        self._made = 0
        self._dead = 0

    def deafen_those_that_are_open(self) -> None:
        self._dead = self._made

    def heal(self) -> None:
        """What was swallowed cannot be made good, so the connections end."""
        self.swallows_questions = self.swallows_answers = False
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(self.upstream.host, self.upstream.port)
        pair = {writer, up_writer}
        self._writers |= pair
        self._made = number = self._made + 1

        def swallows_questions() -> bool:
            return self.swallows_questions or number <= self._dead

        def swallows_answers() -> bool:
            return self.swallows_answers or number <= self._dead

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_pump(reader, up_writer, swallows_questions))
                tasks.create_task(_pump(up_reader, writer, swallows_answers))
        finally:
            self._writers -= pair


async def _pump(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_swallowed: Callable[[], bool]
) -> None:
    with suppress(OSError):
        while chunk := await reader.read(65536):
            if not is_swallowed():
                writer.write(chunk)
                await writer.drain()
    writer.close()


@asynccontextmanager
async def open_deaf_proxy(upstream: Address) -> AsyncIterator[DeafProxy]:
    proxy = DeafProxy(upstream)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.address = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        proxy.heal()
        await asyncio.wait_for(server.wait_closed(), timeout=5.0)
