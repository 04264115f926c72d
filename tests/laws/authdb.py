"""A database as the freshness laws need it: every state it was ever in, and when it changed."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.changes import Change, ChangePage

__all__ = ["AuthDb", "State", "Touched"]

Touched = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Since `since` on the clock of the law, until the next one."""

    since: float
    users: dict[str, UserRecord] = field(default_factory=dict)
    organizations: dict[str, OrganizationRecord] = field(default_factory=dict)
    locals: dict[str, LocalRecord] = field(default_factory=dict)


class AuthDb:
    """`states[r]` is revision r's, and `changes[r]` what made it of the one before."""

    def __init__(self, database_id: str, *, now: float) -> None:
        self.database_id = database_id
        self.states = [State(since=now)]
        self.changes: list[tuple[Change, ...]] = [()]
        self.trimmed_to = 0

    @property
    def revision(self) -> int:
        return len(self.states) - 1

    @property
    def state(self) -> State:
        return self.states[-1]

    def commit(self, state: State, *touched: Touched, now: float) -> None:
        self.states.append(replace(state, since=now))
        self.changes.append(
            tuple(
                Change(revision=self.revision, organization_id=o, user_id=u, local_id=local)
                for o, u, local in touched
            )
        )

    def go_back_to(self, revision: int, *, now: float) -> None:
        """As a restored backup does."""
        self.states = [*self.states[:revision], replace(self.states[revision], since=now)]
        self.changes = self.changes[: revision + 1]
        self.trimmed_to = min(self.trimmed_to, revision)

    def since(self, database_id: str, after: int) -> ChangePage:
        is_gap = database_id != self.database_id or not self.trimmed_to <= after <= self.revision
        first = self.trimmed_to if is_gap else after
        return ChangePage(
            database_id=self.database_id,
            after=first,
            revision=self.revision,
            changes=tuple(change for row in self.changes[first + 1 :] for change in row),
            is_gap=is_gap,
        )

    def access(
        self,
        *,
        user_ids: Collection[str],
        organization_ids: Collection[str],
        local_ids: Collection[str],
        database_id: str,
        after: int,
    ) -> AccessPage:
        state = self.state
        users = {user_id: state.users.get(user_id) for user_id in user_ids}
        owners = {user.organization_id for user in users.values() if user is not None}
        return AccessPage(
            feed=self.since(database_id, after),
            users=users,
            organizations={o: state.organizations.get(o) for o in {*organization_ids, *owners}},
            locals={local_id: state.locals.get(local_id) for local_id in local_ids},
        )
