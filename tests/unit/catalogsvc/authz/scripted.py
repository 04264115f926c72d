"""A client whose only wire is a script: what Auth says, when, and as of what."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from catalogsvc.authz import AuthClient, AuthClientSettings, Identity, Reason, Source
from catalogsvc.authz.breaker import Breaker
from catalogsvc.authz.feed import Page
from catalogsvc.authz.model import Row
from catalogsvc.authz.path import GuardedPath
from catalogsvc.authz.router import Router
from catalogsvc.authz.transport import AsOf, Checked, Permitted, Verified
from catalogsvc.authz.wiring import Wires
from svckit.deadline import Deadline

__all__ = ["ScriptedAuth", "SkewedClock", "open_scripted", "row", "lease"]

LOG = structlog.wrap_logger(structlog.ReturnLogger(), wrapper_class=structlog.BoundLogger)


class SkewedClock:
    """The loop's clock, and `skew_s` later."""

    skew_s = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() + self.skew_s


@dataclass(slots=True, kw_only=True)
class ScriptedAuth:
    """A Transport. While `gate` is cleared, questions wait in it; `error` is raised instead."""

    name: str = "scripted://auth"
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[Sequence[Row]] = field(default_factory=list)
    deadlines: list[Deadline] = field(default_factory=list)
    allowed: set[Row] = field(default_factory=set)
    as_of: AsOf = field(default_factory=lambda: AsOf(database_id="db", revision=7))
    error: Exception | None = None
    expires_at: float | None = 4e9
    organization_id: str = "o"
    asked: int = 0
    before_answer: Callable[[Sequence[Row]], Awaitable[None]] | None = None

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        self.batches.append(rows)
        self.deadlines.append(deadline)
        if self.before_answer is not None:
            await self.before_answer(rows)
        as_of = await self._answer()
        reasons = [Reason.ALLOWED if row in self.allowed else Reason.NOT_ASSIGNED for row in rows]
        names = ["Centro" if reason is Reason.ALLOWED else "" for reason in reasons]
        return Checked(reasons=reasons, local_names=names, as_of=as_of)

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        as_of = await self._answer()
        identity = Identity(
            user_id="u",
            organization_id=self.organization_id,
            permissions=frozenset({token}),
            source=Source.GRPC,
        )
        return Verified(identity=identity, expires_at=self.expires_at, as_of=as_of)

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        as_of = await self._answer()
        return Permitted(
            permissions=frozenset({user_id}), organization_id=self.organization_id, as_of=as_of
        )

    async def close(self) -> None:
        return None

    async def _answer(self) -> AsOf:
        self.asked += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return self.as_of


def open_scripted(
    auth: ScriptedAuth,
    *,
    clock: Callable[[], float] | None = None,
    lease_clock: Callable[[], float] | None = None,
    wall_clock: Callable[[], float] = lambda: 3e9,
    **settings: Any,
) -> AuthClient:
    """Lanes are the channels: two, unless the settings say otherwise. It has no feed."""
    clock = clock or asyncio.get_running_loop().time
    chosen = AuthClientSettings(grpc_targets=("a:1",), **settings)
    path = GuardedPath(
        auth,
        source=Source.GRPC,
        clock=clock,
        breaker=Breaker(failures_max=1_000, cooldown_s=1.0),
        fair_span_s=1.0,
        log=LOG,
    )
    router = Router([path], [], attempt_timeout_s=chosen.attempt_timeout_s, clock=clock, log=LOG)
    return AuthClient(
        chosen,
        log=LOG,
        clock=clock,
        lease_clock=lease_clock or clock,
        wall_clock=wall_clock,
        wires=Wires(router=router, feeds=[]),
    )


def lease(client: AuthClient, *, revision: int = 7, **values: Any) -> None:
    """As if a feed had just told that this is the newest revision."""
    freshness = client._parts.freshness
    is_reset = not freshness.position.database_id
    freshness.apply(
        Page(
            **{
                "tick": freshness.make_tick(client._lease_clock()),
                "database_id": "db",
                "after": revision if is_reset else freshness.position.revision,
                "revision": revision,
                "is_reset": is_reset,
                **values,
            }
        )
    )


def row(number: int) -> Row:
    return (f"u{number}", "o", "l")
