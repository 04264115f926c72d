"""Logs in over REST, in a process of its own: a closed loop of as many logins as are asked for.

Each line is a LoadJob, whose `target` is Auth's REST; it is answered, once its time is over, by a
Load. Everyone who has a password comes in turn, so that no limit on one account is met.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle

import aiohttp
import msgspec
import uvloop

from bench.jobs import LoadJob
from bench.shape import PASSWORD, Login
from bench.workloads import Ask, Tally, run_load

__all__ = ["main", "LOGIN_BOUND_S"]

LOGIN_BOUND_S = 10.0
ADDRESSES = tuple(f"127.0.0.{number}" for number in range(1, 9))


class LoginFailed(Exception):
    """The message is what it is counted under."""


async def log_in_as_told() -> None:
    people: Iterator[Login] | None = None
    timeout = aiohttp.ClientTimeout(total=LOGIN_BOUND_S)
    async with AsyncExitStack() as stack:
        # From several addresses, as from several users: one has a few places only.
        sessions = cycle(
            [
                await stack.enter_async_context(
                    aiohttp.ClientSession(
                        timeout=timeout, connector=aiohttp.TCPConnector(local_addr=(address, 0))
                    )
                )
                for address in ADDRESSES
            ]
        )
        while line := await asyncio.to_thread(sys.stdin.readline):
            job = msgspec.json.decode(line, type=LoadJob)
            people = people or cycle(list(job.shape.logins()))
            load = await run_load(
                ask_to_enter(sessions, job.target),
                people,
                Tally(),
                job,
                failures=LoginFailed,
                named=str,
            )
            print(msgspec.json.encode(load).decode(), flush=True)


def ask_to_enter(sessions: Iterator[aiohttp.ClientSession], target: str) -> Ask[Login]:
    url = f"http://{target}/api/v1/auth/login"

    async def ask(login: Login) -> None:
        organization_id, email = login
        body = {"organization_id": organization_id, "email": email, "password": PASSWORD}
        try:
            async with next(sessions).post(url, json=body) as response:
                await response.read()
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise LoginFailed(type(exc).__name__) from exc
        if response.status != 200:
            raise LoginFailed(f"status {response.status}")

    return ask


def main() -> None:
    uvloop.run(log_in_as_told())


if __name__ == "__main__":
    main()
