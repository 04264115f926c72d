"""What a write makes of one entity, and how the audit log tells it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from authsvc.audit import Actor, AuditEntry
from authsvc.model import Entity, Organization, User

__all__ = ["Edit", "assignment_of", "entry_of", "fields_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`before` is None where the entity is new."""

    before: Entity | None
    after: Entity


def assignment_of(edit: Edit) -> str | None:
    """The one local that a user gains or loses, when nothing else of them changes."""
    before, after = edit.before, edit.after
    if not isinstance(before, User) or not isinstance(after, User):
        return None
    differing = before.locals ^ after.locals
    if len(differing) != 1 or replace(before, locals=after.locals) != after:
        return None
    return next(iter(differing))


def entry_of(edit: Edit, *, by: Actor) -> AuditEntry:
    """Of a change only what differs; of a set only what came and what went."""
    before, after = edit.before, edit.after
    kind = type(after).__name__.lower()
    action = f"{kind}.make" if before is None else f"{kind}.change"
    old, new = ({} if before is None else fields_of(before)), fields_of(after)
    gone: Mapping[str, object] | None = _beyond(old, new)
    came: Mapping[str, object] | None = _beyond(new, old)
    if local_id := assignment_of(edit):
        is_added = "locals" in (came or {})
        action = "assignment.add" if is_added else "assignment.remove"
        gone, came = (None, {"local_id": local_id}) if is_added else ({"local_id": local_id}, None)
    return AuditEntry(
        actor=by,
        action=action,
        organization_id=after.id if isinstance(after, Organization) else after.organization_id,
        target=f"{kind}:{after.id}",
        before=gone if before is not None else None,
        after=came,
    )


def fields_of(entity: Entity) -> dict[str, object]:
    """All but the id, ready for JSON but for the sets."""
    return {
        field.name: getattr(entity, field.name) for field in fields(entity) if field.name != "id"
    }


def _beyond(these: Mapping[str, object], those: Mapping[str, object]) -> dict[str, object]:
    beyond: dict[str, object] = {}
    for name, value in these.items():
        other = those.get(name)
        if isinstance(value, frozenset):
            rest = sorted(value - other if isinstance(other, frozenset) else value)
            if rest:
                beyond[name] = rest
        elif value != other:
            beyond[name] = value
    return beyond
