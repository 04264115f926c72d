"""All that this process knows of the database, moved in one step, so that no part is ahead. Pure.

Records are what was true at the known revision: a change that becomes known drops what it touched,
and what was read at an earlier revision is kept only if nothing has touched it since.
"""

from authsvc.access import AccessPage, LocalRecord, UserRecord
from authsvc.change_log import ChangeLog
from authsvc.changes import ChangePage
from authsvc.freshness import Freshness, Position
from authsvc.records import Records

__all__ = ["Knowledge"]

LOG_ROWS_MAX = 10_000


class Knowledge:
    """Reads go on while it moves, so each says from where it started and when."""

    __slots__ = ("freshness", "log", "records")

    def __init__(self, *, records_weight_max: int) -> None:
        self.freshness = Freshness()
        self.records = Records(weight_max=records_weight_max)
        self.log = ChangeLog(rows_max=LOG_ROWS_MAX)

    def learn(self, page: ChangePage, *, asked_at: Position, read_started_at: float) -> bool:
        """False: the page is of no use any more."""
        learned = self.freshness.advance(page, asked_at=asked_at, read_started_at=read_started_at)
        if learned is None:
            return False
        if learned.is_reset:
            self.records.clear()
            self.log.start(page)
        elif page.revision == self.freshness.revision:
            self.records.drop(learned.changes)
            self.log.extend(learned.changes, page.revision)
        return True

    def keep(self, page: AccessPage, *, asked_at: Position, read_started_at: float) -> None:
        """Learns the page's changes, then keeps those of its records that are still true."""
        if not self.learn(page.feed, asked_at=asked_at, read_started_at=read_started_at):
            return
        revision = page.feed.revision
        for organization_id, organization in page.organizations.items():
            if revision >= self.freshness.last_change(organization_id):
                self.records.put_organization(organization_id, organization)
        for user_id, user in page.users.items():
            if self._is_true(user, revision):
                self.records.put_user(user_id, user)
        for local_id, local in page.locals.items():
            if self._is_true(local, revision):
                self.records.put_local(local_id, local)

    def _is_true(self, record: UserRecord | LocalRecord | None, revision: int) -> bool:
        # What did not exist may have come into being in any organization.
        if record is None:
            return revision == self.freshness.revision
        return revision >= self.freshness.last_change(record.organization_id)
