"""The way in for administrators: what is noted of those who may not, and that no more is read."""

from collections.abc import Sequence

import pytest
from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin, Caller
from authsvc.audit import STRANGER, Actor, ActorKind, AuditEntry
from authsvc.denials import KINDS_MAX
from authsvc.refusals import Refusals
from authsvc.rest_admin_door import AdminDoor
from authsvc.store import Administration
from svckit.errors import Forbidden, NotFound, ServiceError, Unauthenticated

LUIS = Caller(actor=Actor(kind=ActorKind.USER, id="luis"), organization_id="acme")
ANA = Caller(
    actor=Actor(kind=ActorKind.USER, id="ana"), organization_id="acme", permissions=("auth:admin",)
)
ROOT = Caller(
    actor=Actor(kind=ActorKind.USER, id="root"),
    organization_id="acme",
    permissions=("platform:admin",),
)
REQUEST = Request({"type": "http", "headers": [], "client": ("192.0.2.1", 1)})


class Noting(Administration):
    def __init__(self) -> None:
        self.noted: list[AuditEntry] = []

    async def note(self, entries: Sequence[AuditEntry]) -> None:
        self.noted += entries


class Setting:
    def __init__(self) -> None:
        self.caller: Caller | None = None
        self.administration = Noting()
        refusals = Refusals(self.administration, clock=lambda: 0.0)
        self.door = AdminDoor(identify=self.identify, refusals=refusals)
        self.answered: list[Admin] = []
        self.is_there = True

    async def identify(self, _: Request) -> Caller:
        if self.caller is None:
            raise Unauthenticated("bad signature")
        return self.caller

    async def answer(self, _: Request, admin: Admin) -> Response:
        self.answered.append(admin)
        if not self.is_there:
            raise NotFound("no such user")
        return Response()

    async def knock(self, route: str = "GET /x") -> type[ServiceError] | None:
        try:
            await self.door.opening(route, self.answer)(REQUEST)
        except ServiceError as refusal:
            return type(refusal)
        return None


async def test_an_admin_is_let_in_and_nothing_is_noted() -> None:
    a = Setting()
    a.caller = ANA

    assert await a.knock() is None
    assert a.answered == [Admin(actor=ANA.actor, organization_id="acme")]
    assert a.administration.noted == []


@pytest.mark.parametrize(
    ("caller", "refusal", "noted"),
    [
        (None, Unauthenticated, (STRANGER, {"status": 401, "count": 1, "address": "192.0.2.1"})),
        (LUIS, Forbidden, (LUIS.actor, {"status": 403, "count": 1})),
    ],
)
async def test_who_may_not_is_noted_and_nothing_of_the_request_is_read(
    caller: Caller | None, refusal: type[ServiceError], noted: tuple[Actor, dict[str, object]]
) -> None:
    a = Setting()
    a.caller = caller

    assert await a.knock() is refusal
    assert a.answered == []
    assert [(entry.actor, entry.after) for entry in a.administration.noted] == [noted]


@pytest.mark.parametrize(("caller", "rows"), [(ANA, 1), (ROOT, 0)])
async def test_who_is_confined_and_finds_nothing_is_noted_for_it_may_be_anothers(
    caller: Caller, rows: int
) -> None:
    a = Setting()
    a.caller, a.is_there = caller, False

    assert await a.knock() is NotFound
    assert [(entry.actor, entry.after) for entry in a.administration.noted] == [
        (ANA.actor, {"status": 404, "count": 1})
    ] * rows


async def test_a_flood_of_strangers_does_not_hide_what_a_user_tries() -> None:
    a = Setting()
    for n in range(2 * KINDS_MAX):
        await a.knock(f"GET /{n}")

    a.caller = LUIS
    await a.knock()

    assert len(a.administration.noted) == KINDS_MAX + 2
    assert a.administration.noted[-1].actor == LUIS.actor
