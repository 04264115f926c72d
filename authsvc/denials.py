"""How refusals become rows of the audit log, few enough that no stranger can make it grow. Pure.

The first one of its kind is a row at once; those that follow within the window are counted, and
told by the next row of their kind, which comes with the next refusal of anyone.
"""

from dataclasses import dataclass, replace

from authsvc.audit import Actor, AuditEntry

__all__ = ["Denial", "Denials", "entry_of"]

WINDOW_S = 10.0
# Kinds that are told apart within a window. What is beyond is one for each organization, so that
# its administrators see that something was tried, whatever others do; and then one for all.
KINDS_MAX = 60
KINDS_OF_ORGANIZATION_MAX = 20
REST_OF_ORGANIZATIONS_MAX = 60
ANYWHERE = "route:*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """`address` is known of strangers, `actor` of the others; `route` is a template, no path."""

    actor: Actor
    organization_id: str | None
    address: str
    route: str
    status: int


@dataclass(slots=True, kw_only=True)
class _Window:
    since: float
    count: int = 0  # of what came after its row


class Denials:
    """`now` never goes back."""

    __slots__ = ("_windows",)

    def __init__(self) -> None:
        self._windows: dict[Denial, _Window] = {}

    def note(self, denial: Denial, *, now: float) -> list[tuple[Denial, int]]:
        """The rows that are due now, each with how many refusals it tells of."""
        told = {kind: count for kind in self._over(now) if (count := self._windows.pop(kind).count)}
        kind = self._kind(denial)
        if kind in self._windows:
            self._windows[kind].count += 1
        else:
            told[kind] = told.get(kind, 0) + 1
        # Whatever is told begins a window: nothing of it is told again before that is over.
        self._windows |= {kind: _Window(since=now) for kind in told}
        return list(told.items())

    def _over(self, now: float) -> list[Denial]:
        return [kind for kind, window in self._windows.items() if window.since + WINDOW_S <= now]

    def _kind(self, denial: Denial) -> Denial:
        if denial in self._windows or self._has_room_for(denial.organization_id):
            return denial
        rest = replace(denial, actor=Actor(kind=denial.actor.kind), address="", route=ANYWHERE)
        if rest in self._windows or self._rests() < REST_OF_ORGANIZATIONS_MAX:
            return rest
        return replace(rest, organization_id=None)

    def _has_room_for(self, organization_id: str | None) -> bool:
        apart = [kind.organization_id for kind in self._windows if kind.route != ANYWHERE]
        if len(apart) >= KINDS_MAX:
            return False
        # Of none are services, which the operator names, and strangers, who are counted apart.
        return organization_id is None or apart.count(organization_id) < KINDS_OF_ORGANIZATION_MAX

    def _rests(self) -> int:
        return sum(
            kind.route == ANYWHERE and kind.organization_id is not None for kind in self._windows
        )


def entry_of(denial: Denial, count: int) -> AuditEntry:
    after: dict[str, object] = {"status": denial.status, "count": count}
    if denial.address:
        after["address"] = denial.address
    return AuditEntry(
        actor=denial.actor,
        action="access.denied",
        organization_id=denial.organization_id,
        target=denial.route,
        after=after,
    )
