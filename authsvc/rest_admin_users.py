"""What a user holds, one role or local at a time: however often it is said, once is enough."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin, check_edit
from authsvc.edits import Edit
from authsvc.model import User
from authsvc.rest_admin_door import AdminAnswer, AdminDoor
from authsvc.rest_admin_entities import ADMIN, FAILURES
from authsvc.store import Administration, Scene
from svckit.errors import Conflict, NotFound
from svckit.rest import Endpoint, path_id

__all__ = ["HoldingsRest"]

# The user as it is to be, with or without this id.
Change = Callable[[User, frozenset[str]], User]


class HoldingsRest:
    def __init__(self, administration: Administration, door: AdminDoor) -> None:
        self._administration = administration
        self._door = door

    def endpoints(self) -> Sequence[Endpoint]:
        local, role = "locals/{local_id}", "roles/{role_id}"
        return (
            self._endpoint("PUT", local, "Let a user enter a local", _with_local),
            self._endpoint("DELETE", local, "Let a user enter a local no more", _without_local),
            self._endpoint("PUT", role, "Give a user a role", _with_role),
            self._endpoint("DELETE", role, "Take a role from a user", _without_role),
        )

    def _endpoint(self, method: str, held: str, summary: str, change: Change) -> Endpoint:
        path = f"{ADMIN}/users/{{user_id}}/{held}"
        name = held.partition("{")[2].rstrip("}")
        return Endpoint(
            method=method,
            path=path,
            summary=summary,
            answer=self._door.opening(f"{method} {path}", self._answer(name, change)),
            status=204,
            failures=(*FAILURES, NotFound, Conflict),
            needs_token=True,
        )

    def _answer(self, name: str, change: Change) -> AdminAnswer:
        async def answer(request: Request, admin: Admin) -> Response:
            user_id, held_id = path_id(request, "user_id"), path_id(request, name)

            def changed(scene: Scene) -> User:
                if not isinstance(scene.before, User):
                    raise NotFound("no such user")
                after = change(scene.before, frozenset({held_id}))
                check_edit(
                    admin,
                    Edit(before=scene.before, after=after),
                    permissions=scene.permissions,
                    platform_roles=scene.platform_roles,
                )
                return after

            await self._administration.edit(
                User, user_id, changed, confined_to=admin.organization_id, by=admin.actor
            )
            return Response(status_code=204)

        return answer


def _with_local(user: User, ids: frozenset[str]) -> User:
    return replace(user, locals=user.locals | ids)


def _without_local(user: User, ids: frozenset[str]) -> User:
    return replace(user, locals=user.locals - ids)


def _with_role(user: User, ids: frozenset[str]) -> User:
    return replace(user, roles=user.roles | ids)


def _without_role(user: User, ids: frozenset[str]) -> User:
    return replace(user, roles=user.roles - ids)
