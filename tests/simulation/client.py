"""One client process of the simulation: the real AuthClient, asked all the time and judged."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from random import Random

from structlog.typing import FilteringBoundLogger

from catalogsvc.authz import (
    AuthClient,
    AuthUnavailable,
    Decision,
    InvalidToken,
    LocalQuery,
    PartlyUnavailable,
    Source,
    UnknownUser,
)
from svckit.deadline import Deadline
from tests.simulation.client_wires import SETTINGS, make_wires
from tests.simulation.network import Network
from tests.simulation.oracle import Oracle
from tests.simulation.population import ROWS, USERS, random_row
from tests.simulation.process import Process
from tests.simulation.replica import Place
from tests.simulation.tokens import RULES, key_ring
from tests.simulation.truth import Row

__all__ = ["Client", "LIVENESS_S"]

LIVENESS_S = 5.0
# How long a token is good after its expiry: the clocks of two machines may differ.
LEEWAY_S = RULES.leeway_s
ROWS_AT_ONCE_MAX = 6


class Client:
    def __init__(
        self,
        process: Process,
        places: Sequence[Place],
        network: Network,
        oracle: Oracle,
        *,
        has_rest: bool,
        rng: Random,
        counts: Counter[str],
        note: Callable[[str], None],
        log: FilteringBoundLogger,
    ) -> None:
        self.process = process
        self._oracle = oracle
        self._rng = rng
        self._counts = counts
        self._note = note
        self._auth: AuthClient | None = None
        self._log = log
        self._wires = make_wires(process, places, network, has_rest=has_rest, log=log)

    def start(self, *, askers: int, every_s: float) -> None:
        async def run() -> None:
            self._auth = AuthClient(
                SETTINGS,
                log=self._log,
                lease_clock=self.process.lease_clock,
                wall_clock=self.process.wall_clock,
                wires=self._wires,
            )
            async with self._auth, asyncio.TaskGroup() as tasks:
                for _ in range(askers):
                    tasks.create_task(self._keep_asking(every_s, self._ask_something))
                # Whoever waits for an answer asks nothing meanwhile; this one does not wait.
                tasks.create_task(self._keep_asking(every_s, self._ask_in_passing))

        self.process.spawn(run())

    async def ask_everything(self) -> None:
        """Once; what was kept wrongly and is still there is found by it."""
        for row in ROWS:
            await self._check_one(row, None)
        for user_id in USERS:
            await self._list_permissions(user_id, None)
            await self._verify(user_id, None)

    async def ask_all_at_once(self) -> None:
        """Many callers, who have time."""
        async with asyncio.TaskGroup() as tasks:
            for row in ROWS:
                tasks.create_task(self._check_one(row, None))

    async def ask_in_a_hurry(self) -> None:
        """One row after the other, from one turn of the loop to the next."""
        for _ in range(8):
            await asyncio.sleep(0)
            await self._ask_in_passing()

    async def answers_from_the_cache(self) -> None:
        """Asks one thing until the cache answers it; judged as all others."""
        while True:
            row = (USERS[0], "o0", "o0-l0")
            if await self._check_one(row, None) is Source.CACHE:
                return
            await asyncio.sleep(0.02)

    async def _keep_asking(self, every_s: float, ask: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(self._rng.expovariate(1 / every_s))
            await ask()

    async def _ask_in_passing(self) -> None:
        now = self.process.loop.time()
        await self._check_one(self._rng.choice(ROWS), Deadline.after(0.01, now=now))

    async def _ask_something(self) -> None:
        rng = self._rng
        deadline = None
        if rng.random() < 0.3:
            deadline = Deadline.after(rng.uniform(0.01, 1.0), now=self.process.loop.time())
        chance = rng.random()
        if chance < 0.6:
            await self._check_one(random_row(rng), deadline)
        elif chance < 0.8:
            await self._check_many(deadline)
        elif chance < 0.86:
            await self._verify(rng.choice(USERS), deadline)
        elif chance < 0.95:
            await self._list_permissions(rng.choice(USERS), deadline)
        else:
            await self._leave_early()

    async def _check_one(self, row: Row, deadline: Deadline | None) -> Source | None:
        user_id, organization_id, local_id = row
        asked_at, deadline_at = self._begin(deadline)
        try:
            decision = await self._client.validate_local(
                user_id=user_id,
                organization_id=organization_id,
                local_id=local_id,
                deadline=deadline,
            )
        except AuthUnavailable:
            self._counts["unanswered"] += 1
            return None
        finally:
            self._oracle.judge_end(deadline_at, self.process)
        self._judge(row, decision, asked_at)
        return decision.source

    async def _check_many(self, deadline: Deadline | None) -> None:
        rng = self._rng
        rows = [random_row(rng) for _ in range(rng.randint(1, ROWS_AT_ONCE_MAX))]
        queries = [LocalQuery(user_id=u, organization_id=o, local_id=at) for u, o, at in rows]
        asked_at, deadline_at = self._begin(deadline)
        decisions: Sequence[Decision | None]
        try:
            decisions = await self._client.validate_locals(queries, deadline=deadline)
        except PartlyUnavailable as exc:
            self._counts["partly unanswered"] += 1
            decisions = exc.decisions
        except AuthUnavailable:
            self._counts["unanswered"] += 1
            return
        finally:
            self._oracle.judge_end(deadline_at, self.process)
        for row, decision in zip(rows, decisions, strict=True):
            if decision is not None:
                self._judge(row, decision, asked_at)

    async def _verify(self, user_id: str, deadline: Deadline | None) -> None:
        ring = key_ring()
        asked_at, deadline_at = self._begin(deadline)
        expires_at = ring.expires_at[user_id] + LEEWAY_S
        try:
            identity = await self._client.verify_token(ring.tokens[user_id], deadline=deadline)
        except AuthUnavailable:
            self._counts["unanswered"] += 1
        except InvalidToken:
            self._counts["tokens refused"] += 1
            self._oracle.judge_bad_token(
                user_id,
                expires_at=expires_at,
                asked_at=asked_at,
                now=self._now,
                wall_now=self.process.wall_clock(),
            )
        else:
            self._counts[f"identities by {identity.source}"] += 1
            self._oracle.judge_identity(
                user_id,
                identity,
                expires_at=expires_at,
                now=self._now,
                wall_now=self.process.wall_clock(),
            )
        self._oracle.judge_end(deadline_at, self.process)

    async def _list_permissions(self, user_id: str, deadline: Deadline | None) -> None:
        asked_at, deadline_at = self._begin(deadline)
        try:
            said = await self._client.get_user_permissions(user_id=user_id, deadline=deadline)
        except AuthUnavailable:
            self._counts["unanswered"] += 1
        except UnknownUser:
            self._oracle.judge_unknown(user_id, asked_at=asked_at, now=self._now)
        else:
            self._counts["permissions"] += 1
            self._oracle.judge_permissions(user_id, said, now=self._now)
        self._oracle.judge_end(deadline_at, self.process)

    async def _leave_early(self) -> None:
        """A caller that is cancelled harms nobody."""
        self._counts["cancelled callers"] += 1
        try:
            async with asyncio.timeout(self._rng.uniform(0.0, 0.01)):
                await self._check_one(random_row(self._rng), None)
        except TimeoutError:
            return

    def _judge(self, row: Row, decision: Decision, asked_at: float) -> None:
        self._counts[f"{'yes' if decision else 'no'} by {decision.source}"] += 1
        if decision.source is not Source.CACHE:
            what = f"{decision.reason} by {decision.source} at r{decision.revision}"
            self._note(f"{self.process.name} hears of {'/'.join(row)}: {what}")
        self._oracle.judge_decision(row, decision, asked_at=asked_at, now=self._now)

    def _begin(self, deadline: Deadline | None) -> tuple[float, float]:
        self._counts["calls"] += 1
        now = self.process.loop.time()
        return self._now, now + SETTINGS.timeout_s if deadline is None else deadline.at

    @property
    def _now(self) -> float:
        return self.process.timeline.now

    @property
    def _client(self) -> AuthClient:
        assert self._auth is not None
        return self._auth
