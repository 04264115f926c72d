"""A client in one line, and one question to ask it."""

import asyncio
from typing import Any

from catalogsvc.authz import AuthClient, AuthClientSettings, Decision, LocalQuery
from svckit.deadline import Deadline

__all__ = [
    "QUERY",
    "SkewedClock",
    "ask",
    "knows",
    "lease",
    "now",
    "open_client",
    "open_rest_client",
]

QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")


def now() -> float:
    return asyncio.get_running_loop().time()


class SkewedClock:
    """The loop's clock, and `skew_s` later."""

    skew_s = 0.0

    def __call__(self) -> float:
        return now() + self.skew_s


def open_client(
    target: str,
    url: str | None = None,
    *,
    clock: SkewedClock | None = None,
    lease_clock: SkewedClock | None = None,
    **settings: Any,
) -> AuthClient:
    urls = () if url is None else (url,)
    return AuthClient(
        AuthClientSettings(grpc_targets=(target,), rest_urls=urls, **settings),
        clock=clock,
        lease_clock=lease_clock,
    )


def open_rest_client(url: str) -> AuthClient:
    return AuthClient(AuthClientSettings(rest_urls=(url,)))


async def ask(
    client: AuthClient, *, timeout_s: float = 5.0, clock: SkewedClock | None = None
) -> Decision:
    return await client.validate_local(
        user_id=QUERY.user_id,
        organization_id=QUERY.organization_id,
        local_id=QUERY.local_id,
        deadline=Deadline.after(timeout_s, now=(clock or now)()),
    )


async def lease(client: AuthClient) -> None:
    """Returns when the client follows the changes, so that its cache may be used."""
    async with asyncio.timeout(5):
        while not client.snapshot().is_leased:  # noqa: ASYNC110 # no event says it, and none should
            await asyncio.sleep(0.001)


async def knows(client: AuthClient, revision: int) -> None:
    """Returns when the feed has told the client of this revision."""
    async with asyncio.timeout(5):
        while client.snapshot().revision < revision:  # noqa: ASYNC110 # no event says it, and none should
            await asyncio.sleep(0.001)
