"""The way in for administrators: who asks, whether they may, and a row for each who may not."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin, Caller, admin_of
from authsvc.audit import STRANGER, Actor, ActorKind
from authsvc.denials import Denial
from authsvc.refusals import Refusals
from authsvc.rest_identity import identity_of
from authsvc.service import AuthService
from svckit.errors import Forbidden, NotFound, ServiceError, Unauthenticated
from svckit.rest import Answer
from svckit.status import wire_status

__all__ = ["AdminDoor", "AdminAnswer", "Identify", "by_token"]

AdminAnswer = Callable[[Request, Admin], Awaitable[Response]]
# Who sent the request; raises Unauthenticated.
Identify = Callable[[Request], Awaitable[Caller]]

UNKNOWN = Caller(actor=STRANGER)


def by_token(service: AuthService) -> Identify:
    """Whom the bearer token speaks for, with the permissions of now."""

    async def identify(request: Request) -> Caller:
        identity = await identity_of(request, service)
        return Caller(
            actor=Actor(kind=ActorKind.USER, id=identity.user_id),
            organization_id=identity.organization_id,
            permissions=identity.permissions,
        )

    return identify


class AdminDoor:
    """Nothing else of a request is read before its sender is known to be an administrator."""

    def __init__(self, *, identify: Identify, refusals: Refusals) -> None:
        self._identify = identify
        self._refusals = refusals

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
            except NotFound as refusal:
                # Another organization's look like none: this may be someone who tries ids.
                if admin_of(caller).organization_id is not None:
                    await self._note(request, caller, route, refusal)
                raise

        return answer_admin

    async def _note(
        self, request: Request, caller: Caller, route: str, refusal: ServiceError
    ) -> None:
        is_unknown = caller is UNKNOWN
        denial = Denial(
            actor=caller.actor,
            organization_id=caller.organization_id,
            address=request.client.host if is_unknown and request.client else "",
            route=f"route:{route}",
            status=wire_status(refusal).http,
        )
        await self._refusals.note(denial)
