"""The way in for administrators: who asks, whether they may, and a row for each who may not."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin, Caller, admin_of
from authsvc.audit import STRANGER, Actor, ActorKind
from authsvc.denials import Denial, Denials, entry_of
from authsvc.service import AuthService
from authsvc.store import Administration
from authsvc.tokens import BadToken
from svckit.bearer import bearer_token
from svckit.errors import Forbidden, Unauthenticated
from svckit.rest import Answer
from svckit.status import wire_status

__all__ = ["Door", "AdminAnswer", "Identify", "by_token"]

AdminAnswer = Callable[[Request, Admin], Awaitable[Response]]
# Who sent the request; raises Unauthenticated.
Identify = Callable[[Request], Awaitable[Caller]]

UNKNOWN = Caller(actor=STRANGER)


def by_token(service: AuthService) -> Identify:
    """Whom the bearer token speaks for, with the permissions of now."""

    async def identify(request: Request) -> Caller:
        try:
            identity = await service.verify_token(bearer_token(request))
        except BadToken as bad:
            raise Unauthenticated(bad.reason) from bad
        return Caller(
            actor=Actor(kind=ActorKind.USER, id=identity.user_id),
            organization_id=identity.organization_id,
            permissions=identity.permissions,
        )

    return identify


class Door:
    """Nothing else of a request is read before its sender is known to be an administrator."""

    def __init__(self, administration: Administration, *, identify: Identify) -> None:
        self._administration = administration
        self._identify = identify
        # Apart, or a flood of strangers would hide what a user tries.
        self._strangers = Denials()
        self._known = Denials()

    def opening(self, route: str, answer: AdminAnswer) -> Answer:
        """`route`: the method and the path's template."""

        async def answer_admin(request: Request) -> Response:
            caller = UNKNOWN
            try:
                caller = await self._identify(request)
                return await answer(request, admin_of(caller))
            except (Unauthenticated, Forbidden) as refusal:
                await self._note(request, caller, route, refusal)
                raise

        return answer_admin

    async def _note(
        self, request: Request, caller: Caller, route: str, refusal: Unauthenticated | Forbidden
    ) -> None:
        is_unknown = caller is UNKNOWN
        denial = Denial(
            actor=caller.actor,
            organization_id=caller.organization_id,
            address=request.client.host if is_unknown and request.client else "",
            route=f"route:{route}",
            status=wire_status(refusal).http,
        )
        denials = self._strangers if is_unknown else self._known
        due = denials.note(denial, now=asyncio.get_running_loop().time())
        if due:
            await self._administration.note([entry_of(kind, count) for kind, count in due])
