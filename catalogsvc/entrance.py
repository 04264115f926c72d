"""The way in: whom the token speaks for, what they may do, whether they may enter this local.

A failure to find out is neither a yes nor a no: it passes through as what it is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Protocol

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from catalogsvc.authz import Decision, Identity
from catalogsvc.products import LocalKey
from svckit.bearer import bearer_token
from svckit.deadline import Deadline
from svckit.errors import Forbidden, Unavailable
from svckit.lease_clock import lease_clock
from svckit.owned_tasks import owned_tasks
from svckit.rest import path_id

__all__ = ["AUTH_SHARE", "Entrance", "Permission", "Doorman", "telling_source"]

# Auth may use this much of the call's time; the rest is there to say so when it did not answer.
AUTH_SHARE = 0.9
# What was learnt first may end while the rest is waited for. After a longer wait than this both are
# asked for again, together; what a cache still holds comes at once.
HELD_S_MAX = 0.25
ROUNDS_MAX = 3
RETRY_AFTER_S = 1.0
SOURCE_HEADER = "x-auth-source"
SOURCE_KEY = "catalogsvc.auth_source"


class Permission(StrEnum):
    """What a user may be allowed to do with products, by Auth's names."""

    READ = "catalog:read"
    CREATE = "catalog:create"
    EDIT = "catalog:edit"
    DELETE = "catalog:delete"


class Doorman(Protocol):
    """Who knows: the AuthClient, or a fake in tests.

    Raises Unavailable when no one answers. An answer is at most as stale as the AuthClient allows.
    """

    async def verify_token(self, token: str, *, deadline: Deadline | None = None) -> Identity:
        """Raises Unauthenticated for a bad token."""
        ...

    async def validate_local(
        self,
        *,
        user_id: str,
        organization_id: str,
        local_id: str,
        deadline: Deadline | None = None,
    ) -> Decision: ...


class Entrance:
    """`timeout_s` is the time of a whole call, of which this is the first part.

    `clock` is that of leases.
    """

    def __init__(
        self, doorman: Doorman, *, timeout_s: float, clock: Callable[[], float] = lease_clock
    ) -> None:
        self._doorman = doorman
        self._auth_timeout_s = timeout_s * AUTH_SHARE
        self._clock = clock

    async def admit(self, request: Request, permission: Permission) -> LocalKey:
        """The local that this request may enter, within the caller's own organization.

        Raises Unauthenticated, Forbidden, InvalidRequest, Unavailable. Nothing else of the request
        is read before: a stranger learns nothing from how we judge it, and costs no work.
        """
        now = asyncio.get_running_loop().time()
        deadline = Deadline.after(self._auth_timeout_s, now=now)
        identity = await self._permitted(request, permission, deadline)
        local = LocalKey(
            organization_id=identity.organization_id, local_id=path_id(request, "local_id")
        )
        learnt_at = self._clock()
        await self._enter(request, identity.user_id, local, deadline)
        rounds = 1
        while self._clock() - learnt_at > HELD_S_MAX:
            if rounds == ROUNDS_MAX:
                raise Unavailable("Auth answers too slowly", retry_after_s=RETRY_AFTER_S)
            rounds += 1
            learnt_at = await self._together(
                lambda: self._permitted(request, permission, deadline),
                lambda: self._enter(request, identity.user_id, local, deadline),
            )
        return local

    async def _together(self, *questions: Callable[[], Awaitable[object]]) -> float:
        """When the first of them was answered. Raises what the first that failed raised."""
        answered_at: list[float] = []

        async def ask(question: Callable[[], Awaitable[object]]) -> None:
            await question()
            answered_at.append(self._clock())

        async with owned_tasks() as tasks:
            for question in questions:
                tasks.create_task(ask(question))
        return answered_at[0]

    async def _permitted(
        self, request: Request, permission: Permission, deadline: Deadline
    ) -> Identity:
        identity = await self._doorman.verify_token(bearer_token(request), deadline=deadline)
        if permission not in identity.permissions:
            raise Forbidden(f"missing permission {permission}")
        return identity

    async def _enter(
        self, request: Request, user_id: str, local: LocalKey, deadline: Deadline
    ) -> None:
        decision = await self._doorman.validate_local(
            user_id=user_id,
            organization_id=local.organization_id,
            local_id=local.local_id,
            deadline=deadline,
        )
        request.scope[SOURCE_KEY] = decision.source
        if not decision:
            raise Forbidden(decision.reason)


def telling_source(app: ASGIApp) -> ASGIApp:
    """Each answer says where its decision came from; it has none if it never came to a decision.

    Around the whole app, so that the answers made for failures say it too.
    """

    async def app_telling_source(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_telling_source(message: Message) -> None:
            if message["type"] == "http.response.start" and SOURCE_KEY in scope:
                MutableHeaders(scope=message)[SOURCE_HEADER] = scope[SOURCE_KEY]
            await send(message)

        await app(scope, receive, send_telling_source)

    return app_telling_source
