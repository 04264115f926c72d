"""No stale yes past the bound, over real sockets: whoever stands still, and whatever is swallowed.

A poll is stamped before it asks, a revocation after it was committed: so a busy machine can only
make the distance between them look shorter, and what fails here has broken the promise.
"""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from authsvc.audit import SYSTEM
from authsvc.store import Store
from tests.integration.system.staleness import (
    MAX_STALENESS_S,
    QUESTION,
    Auth,
    client_of,
    is_no,
    last_yes_at,
    now,
    open_deaf_proxy,
    open_store,
    poll_until,
    run_auths,
    wait_until_cached,
)
from tests.postgres import postgres, postgres_url
from tests.processes import ROOT

__all__ = ["postgres", "postgres_url"]

# Long enough that whoever believed too long would be heard.
OUTAGE_S = MAX_STALENESS_S + 0.7
WAIT_BOUND_S = 20.0


@pytest.fixture
async def auths(postgres_url: str) -> AsyncIterator[list[Auth]]:
    async with run_auths(2, database_url=postgres_url) as auths:
        yield auths


@pytest.fixture
async def store(postgres_url: str, auths: list[Auth]) -> AsyncIterator[Store]:
    async with open_store(postgres_url) as store:
        yield store


async def revoke(store: Store) -> float:
    """When it was committed, at the latest."""
    assert await store.revoke(QUESTION["user_id"], QUESTION["local_id"], by=SYSTEM)
    return now()


async def test_what_a_stopped_auth_process_knew_is_not_told_after_it_goes_on(
    auths: list[Auth], store: Store
) -> None:
    stopped, other = auths
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(client_of(*addresses))
            for addresses in (
                (stopped.address, other.address),
                (stopped.address,),
                (other.address,),
            )
        ]
        await wait_until_cached(clients)

        stopped.stop()
        revoked_at = await revoke(store)
        resume_at = now() + OUTAGE_S
        silent = await asyncio.gather(
            *(poll_until(client, lambda polled: polled.called_at > resume_at) for client in clients)
        )
        stopped.resume()
        resumed = await asyncio.gather(*(poll_until(client, is_no) for client in clients))

    for during, after in zip(silent, resumed, strict=True):
        assert last_yes_at([*during, *after]) <= revoked_at + MAX_STALENESS_S


async def test_dead_connections_are_given_up_long_before_keepalive_would(
    auths: list[Auth], store: Store
) -> None:
    async with (
        open_deaf_proxy(auths[0].address) as proxy,
        client_of(proxy.address) as client,
    ):
        await wait_until_cached([client])

        proxy.deafen_those_that_are_open()
        dead_at = now()
        lost_at = dead_at + MAX_STALENESS_S
        polls = await poll_until(
            client, lambda polled: polled.called_at > lost_at and polled.decision is not None
        )

    # Ten seconds and five is what keepalive takes; the test's own polls may wait for one attempt.
    assert polls[-1].called_at - dead_at < 8.0


@pytest.mark.parametrize("swallowed", ["questions", "answers", "both"])
async def test_a_wire_that_swallows_bytes_ends_in_no_stale_yes(
    auths: list[Auth], store: Store, swallowed: str
) -> None:
    async with (
        open_deaf_proxy(auths[0].address) as proxy,
        client_of(proxy.address) as cut_off,
        client_of(proxy.address, auths[1].address) as half_cut_off,
    ):
        clients = (cut_off, half_cut_off)
        await wait_until_cached(clients)

        proxy.swallows_questions = swallowed != "answers"
        proxy.swallows_answers = swallowed != "questions"
        revoked_at = await revoke(store)
        heal_at = now() + OUTAGE_S
        deaf = await asyncio.gather(
            *(poll_until(client, lambda polled: polled.called_at > heal_at) for client in clients)
        )
        proxy.heal()
        healed = await asyncio.gather(*(poll_until(client, is_no) for client in clients))

    for during, after in zip(deaf, healed, strict=True):
        assert last_yes_at([*during, *after]) <= revoked_at + MAX_STALENESS_S


async def test_a_client_that_was_stopped_does_not_go_on_with_what_it_knew(
    auths: list[Auth], store: Store
) -> None:
    client = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.integration.system.staleness_client"),
        str(auths[0].address),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert client.stdout is not None
    try:
        async with asyncio.timeout(WAIT_BOUND_S):
            await heard(client.stdout, "ALLOWED CACHE")
            client.send_signal(signal.SIGSTOP)
            revoked_at = await revoke(store)
            await asyncio.sleep(OUTAGE_S)
            client.send_signal(signal.SIGCONT)
            yes_times = await heard(client.stdout, "NOT_ASSIGNED")
    finally:
        client.kill()
        await client.wait()

    assert max(yes_times, default=0.0) <= revoked_at + MAX_STALENESS_S


async def heard(output: asyncio.StreamReader, what: str) -> list[float]:
    """When it asked and got a yes, until it has heard this."""
    yes_times = []
    while line := (await output.readline()).decode():
        called_at, answer = line.split(maxsplit=1)
        if answer.startswith("ALLOWED"):
            yes_times.append(float(called_at))
        if answer.startswith(what):
            return yes_times
    raise AssertionError("the client ended")
