"""Administration of one kind of entity over REST: its pages, one of them, making or replacing one.

Nothing is deleted: what the audit log names stays to be looked up, and an id never comes to mean
something else. What is not wanted any more is inactive.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from authsvc.admin_rules import Admin, check_edit
from authsvc.edits import Edit
from authsvc.entity_rules import check_entity
from authsvc.listing import EntityFilter
from authsvc.model import Entity
from authsvc.paging import id_before, page_size_of, token_after
from authsvc.rest_admin_door import AdminDoor
from authsvc.rest_admin_shapes import (
    Noun,
    PageQuestion,
    PutHeaders,
    entity_of,
    shown,
    tag_of,
)
from authsvc.store import Administration, Scene
from svckit.errors import (
    Conflict,
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from svckit.preconditions import Precondition, read_precondition
from svckit.rest import Endpoint, json_answer, path_id, read_body, read_query

__all__ = ["EntitiesRest", "ADMIN", "FAILURES"]

ADMIN = "/api/v1/admin"
FAILURES = (InvalidRequest, Unauthenticated, Forbidden, Unavailable, DeadlineExceeded)


class EntitiesRest:
    def __init__(self, noun: Noun, administration: Administration, door: AdminDoor) -> None:
        self._noun = noun
        self._administration = administration
        self._door = door

    def endpoints(self) -> Sequence[Endpoint]:
        noun = self._noun
        all_, one = f"{ADMIN}/{noun.plural}", f"{ADMIN}/{noun.plural}/{{{noun.name}_id}}"
        return (
            Endpoint(
                method="GET",
                path=all_,
                summary=f"The {noun.plural} that you may administer, page by page",
                answer=self._door.opening(f"GET {all_}", self.page),
                query=noun.question,
                result=noun.page,
                failures=FAILURES,
                needs_token=True,
            ),
            Endpoint(
                method="GET",
                path=one,
                summary=f"One {noun.name}, with its ETag",
                answer=self._door.opening(f"GET {one}", self.one),
                result=noun.shown,
                failures=(*FAILURES, NotFound),
                needs_token=True,
            ),
            Endpoint(
                method="PUT",
                path=one,
                summary=f"Make or replace a {noun.name}",
                answer=self._door.opening(f"PUT {one}", self.put),
                headers=PutHeaders,
                body=noun.body,
                result=noun.shown,
                also=(201,),
                failures=(*FAILURES, NotFound, Conflict, PreconditionFailed, TooLarge),
                needs_token=True,
            ),
        )

    async def page(self, request: Request, admin: Admin) -> Response:
        question = read_query(request, self._noun.question)
        size, after_id = page_size_of(question.page_size), id_before(question.page_token)
        wanted = EntityFilter(
            organization_id=question.organization_id or admin.organization_id,
            status=question.status if isinstance(question, PageQuestion) else None,
            prefix=question.prefix,
        )
        entities: tuple[Entity, ...] = ()
        # Another organization is as one that does not exist.
        if admin.organization_id in (None, wanted.organization_id):
            entities = await self._administration.page(
                self._noun.kind, wanted, after_id=after_id, limit=size + 1
            )
        items = [shown(self._noun, entity) for entity in entities[:size]]
        is_last = len(entities) <= size
        next_page_token = "" if is_last else token_after(items[-1].id)
        return json_answer({"items": items, "next_page_token": next_page_token})

    async def one(self, request: Request, admin: Admin) -> Response:
        entity = await self._administration.find(
            self._noun.kind, self._id(request), confined_to=admin.organization_id
        )
        if entity is None:
            raise NotFound(f"no such {self._noun.name}")
        return self._answer(entity, status=200)

    async def put(self, request: Request, admin: Admin) -> Response:
        id_, precondition = self._id(request), _precondition(request)
        wanted = entity_of(self._noun, id_, await read_body(request, self._noun.body))
        check_entity(wanted)

        def change(scene: Scene) -> Entity:
            precondition.check(tag_of(scene.before))
            check_edit(
                admin,
                Edit(before=scene.before, after=wanted),
                permissions=scene.permissions,
                platform_roles=scene.platform_roles,
            )
            return wanted

        before, after = await self._administration.edit(
            self._noun.kind, id_, change, confined_to=admin.organization_id, by=admin.actor
        )
        return self._answer(after, status=201 if before is None else 200)

    def _id(self, request: Request) -> str:
        return path_id(request, f"{self._noun.name}_id")

    def _answer(self, entity: Entity, *, status: int) -> Response:
        headers = {"etag": tag_of(entity) or ""}
        return json_answer(shown(self._noun, entity), status=status, headers=headers)


def _precondition(request: Request) -> Precondition:
    return read_precondition(
        if_match=_header(request, "if-match"), if_none_match=_header(request, "if-none-match")
    )


def _header(request: Request, name: str) -> str | None:
    values = request.headers.getlist(name)
    return ", ".join(values) if values else None
