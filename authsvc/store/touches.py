"""What a write touches, as the change feed tells it. Pure."""

from collections import defaultdict
from collections.abc import Collection
from typing import NamedTuple, assert_never

from authsvc.edits import Edit, assignment_of
from authsvc.model import Local, Organization, Role, User

__all__ = ["TOUCHES_MAX", "Touch", "touch_of", "fold"]

# Of one organization in one transaction; beyond it the organization as a whole is named.
TOUCHES_MAX = 100


class Touch(NamedTuple):
    """No user or no local: all of the organization's."""

    organization_id: str
    user_id: str | None = None
    local_id: str | None = None


def touch_of(edit: Edit) -> Touch:
    match entity := edit.after:
        case Organization():
            return Touch(entity.id)
        case Local():
            return Touch(entity.organization_id, local_id=entity.id)
        case Role():
            # Whoever holds it.
            return Touch(entity.organization_id)
        case User():
            return Touch(entity.organization_id, user_id=entity.id, local_id=assignment_of(edit))
        case _:
            assert_never(entity)


def fold(touches: Collection[Touch]) -> tuple[Touch, ...]:
    """The same or more, in few rows: an organization that is touched as a whole is named once."""
    by_organization: defaultdict[str, dict[Touch, None]] = defaultdict(dict)
    for touch in touches:
        by_organization[touch.organization_id][touch] = None
    folded: list[Touch] = []
    for organization_id, its_touches in by_organization.items():
        whole = Touch(organization_id)
        if whole in its_touches or len(its_touches) > TOUCHES_MAX:
            folded.append(whole)
        else:
            folded += its_touches
    return tuple(folded)
