"""A withdrawn key's tokens are refused by every client within the bound, cached verdicts too."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from authsvc.backend import open_backend
from authsvc.settings import AuthSettings
from authsvc.tokens import key_id
from catalogsvc.authz import AuthClient, AuthUnavailable, InvalidToken, Source
from svckit.deadline import Deadline
from tests.integration.system.staleness import MAX_STALENESS_S, client_of, now, run_auths
from tests.postgres import postgres, postgres_url

__all__ = ["postgres", "postgres_url"]

PATIENCE_S = 0.05
BOUND_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`called_at` is before the call. `source` of None: the token is worth nothing."""

    called_at: float
    source: Source | None


async def poll(client: AuthClient, token: str, is_enough: Callable[[Said], bool]) -> list[Said]:
    said: list[Said] = []
    async with asyncio.timeout(BOUND_S):
        while not said or not is_enough(said[-1]):
            called_at = now()
            deadline = Deadline.after(PATIENCE_S, now=asyncio.get_running_loop().time())
            try:
                identity = await client.verify_token(token, deadline=deadline)
            except InvalidToken:
                said.append(Said(called_at=called_at, source=None))
            except AuthUnavailable:
                pass
            else:
                said.append(Said(called_at=called_at, source=identity.source))
            await asyncio.sleep(0.001)
    return said


def is_cached(said: Said) -> bool:
    return said.source is Source.CACHE


def is_refused(said: Said) -> bool:
    return said.source is None


@pytest.mark.parametrize("is_one_stopped", [False, True])
async def test_a_cached_verdict_of_a_withdrawn_key_is_gone_within_the_bound(
    postgres_url: str, is_one_stopped: bool
) -> None:
    async with run_auths(2, database_url=postgres_url) as (first, second):  # noqa: SIM117 # unpacked here, used below
        async with (
            open_backend(AuthSettings(database_url=postgres_url)) as backend,
            client_of(first.address) as of_first,
            client_of(second.address, first.address) as of_second,
        ):
            token = await backend.service.issue_token("ana")
            for client in (of_first, of_second):
                await poll(client, token, is_cached)
            if is_one_stopped:
                second.stop()

            await backend.rotation.withdraw(key_id(token))
            withdrawn_at = now()

            heard = await asyncio.gather(
                *(poll(client, token, is_refused) for client in (of_first, of_second))
            )
            second.resume()
            # Whoever stood still does not bring it back.
            later = [await poll(client, token, is_refused) for client in (of_first, of_second)]
            fresh = await backend.service.issue_token("ana")
            for client in (of_first, of_second):
                await poll(client, fresh, is_cached)

    for said in (*heard, *later):
        late_s = [s.called_at - withdrawn_at for s in said if s.source is not None]
        assert max(late_s, default=0.0) <= MAX_STALENESS_S
