"""What administrators ask of the database: entities one by one or in pages, and the audit log."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncEngine

from authsvc.audit import Actor, ActorKind, AuditEntry, AuditFilter, AuditRow
from authsvc.entity_rules import check_entity
from authsvc.listing import EntityFilter
from authsvc.model import Entity
from authsvc.store import audit, entity_pages
from authsvc.store.admins import permissions_now, platform_roles
from authsvc.store.commit import WRITE_LOCK, commit_one
from svckit.database import reading, writing

__all__ = ["Administration", "Scene", "Change"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What stands when an edit is judged, and goes on to stand until it is written.

    `before`: the entity, if it is there for whoever is confined so; `permissions`: those of the
    actor, if a user; `platform_roles`: the roles of what they are confined to that hold one of the
    platform's permissions.
    """

    before: Entity | None
    permissions: frozenset[str]
    platform_roles: frozenset[str]


# What the entity is to be; raises ServiceError to refuse.
Change = Callable[[Scene], Entity]


class Administration:
    """`confined_to`: another organization's entities are as none; None: all are there.

    Each read is one query, whatever is there. All methods raise Unavailable.
    """

    def __init__(self, engine: AsyncEngine, *, wall_clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._wall_clock = wall_clock

    async def find(self, kind: type[Entity], id_: str, *, confined_to: str | None) -> Entity | None:
        async with reading(self._engine) as connection:
            return await entity_pages.find(connection, kind, id_, confined_to)

    async def page(
        self, kind: type[Entity], wanted: EntityFilter, *, after_id: str, limit: int
    ) -> tuple[Entity, ...]:
        """Beyond `after_id` ("": the first), in the order of the ids' bytes."""
        async with reading(self._engine) as connection:
            return await entity_pages.page(connection, kind, wanted, after_id, limit)

    async def edit(
        self,
        kind: type[Entity],
        id_: str,
        change: Change,
        *,
        confined_to: str | None,
        by: Actor,
    ) -> tuple[Entity | None, Entity]:
        """What the entity was and now is. Raises what `change` raises, InvalidRequest, NotFound for
        what it names and is not there, Conflict.
        """
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            before = await entity_pages.find(connection, kind, id_, confined_to)
            is_user = by.kind is ActorKind.USER
            nothing: frozenset[str] = frozenset()
            scene = Scene(
                before=before,
                permissions=await permissions_now(connection, by.id) if is_user else nothing,
                platform_roles=nothing
                if confined_to is None
                else await platform_roles(connection, confined_to),
            )
            after = change(scene)
            check_entity(after)
            await commit_one(connection, after, by=by, wall_now=self._wall_clock())
        return before, after

    async def audit_page(
        self, wanted: AuditFilter, *, before_id: int, limit: int
    ) -> tuple[AuditRow, ...]:
        """Newest first, before `before_id`."""
        async with reading(self._engine) as connection:
            return await audit.page(connection, wanted, before_id, limit)

    async def note(self, entries: Sequence[AuditEntry]) -> None:
        """What happened and changed nothing."""
        async with writing(self._engine, lock=WRITE_LOCK) as connection:
            await audit.append(connection, entries, revision=None, wall_now=self._wall_clock())
