"""What was true, and when: every state the database was ever in, and what follows from it.

The rules of the decision stand here once more, in words of their own: an oracle that shared the
code of what it judges would share its mistakes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord

__all__ = ["State", "Truth", "Answer", "Row"]

Row = tuple[str, str, str]  # user, organization, local
# A reason, and the local's name when it is a yes.
Answer = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The whole database at one revision."""

    revision: int
    users: Mapping[str, UserRecord]
    organizations: Mapping[str, OrganizationRecord]
    locals: Mapping[str, LocalRecord]

    def answer(self, row: Row) -> Answer:
        user_id, organization_id, local_id = row
        user = self.users.get(user_id)
        organization = self.organizations.get(organization_id)
        local = self.locals.get(local_id)
        if user is None:
            return "UNKNOWN_USER", ""
        if not user.is_active:
            return "USER_INACTIVE", ""
        if organization is None:
            return "UNKNOWN_ORGANIZATION", ""
        if not organization.is_active:
            return "ORGANIZATION_INACTIVE", ""
        if user.organization_id != organization_id:
            return "WRONG_ORGANIZATION", ""
        if local is None or local.organization_id != organization_id:
            return "UNKNOWN_LOCAL", ""
        if not local.is_active:
            return "LOCAL_INACTIVE", ""
        if local_id not in user.locals:
            return "NOT_ASSIGNED", ""
        return "ALLOWED", local.name

    def permissions(self, user_id: str) -> frozenset[str] | None:
        """Those of the user now; None: there is no such user."""
        user = self.users.get(user_id)
        if user is None:
            return None
        organization = self.organizations[user.organization_id]
        is_active = user.is_active and organization.is_active
        return frozenset(user.permissions) if is_active else frozenset()

    def has_active(self, user_id: str) -> bool:
        """Whether a token of the user speaks for someone."""
        user = self.users.get(user_id)
        return (
            user is not None
            and user.is_active
            and self.organizations[user.organization_id].is_active
        )


class Truth:
    """All states since the beginning, in the order in which they were committed, in true time."""

    def __init__(self, now: float, state: State) -> None:
        self._states: list[tuple[float, State]] = [(now, state)]

    @property
    def latest(self) -> State:
        return self._states[-1][1]

    def commit(self, now: float, state: State) -> None:
        self._states.append((now, state))

    def was(self, holds: Callable[[State], bool], *, since: float) -> bool:
        """Whether it held at any moment from `since` until now."""
        return any(holds(state) for state in self._since(since))

    def was_at(self, revision: int, holds: Callable[[State], bool]) -> bool:
        """Whether it held at that revision; after a restore there may be two of that number."""
        return any(holds(state) for _, state in self._states if state.revision == revision)

    def _since(self, moment: float) -> Iterator[State]:
        for committed_at, state in reversed(self._states):
            yield state
            # It was the current one at that very moment.
            if committed_at <= moment:
                return
