"""What Auth believes under its lease: never an answer that the database does not support.

Writes, reads that bring old news, late, repeated and out of order pages, trimmed logs, replaced and
restored databases, and records that fall out for want of room, in any order.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from authsvc.access import AccessPage, LocalRecord, OrganizationRecord, UserRecord
from authsvc.changes import ChangePage
from authsvc.columns import Columns
from authsvc.decision import decide_row
from authsvc.freshness import LEASE_S, Freshness, Position
from authsvc.knowledge import Knowledge
from authsvc.records import Records
from authsvc.rows import Decided, decide_rows
from tests.laws.authdb import AuthDb, State, Touched

ORGANIZATIONS = ("o1", "o2")
USERS = ("u1", "u2", "u3")
LOCALS = ("l1", "l2", "l3")
# Nothing ever changes organization.
HOME = {"u1": "o1", "u2": "o1", "u3": "o2", "l1": "o1", "l2": "o1", "l3": "o2"}
TICK_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """One that is under way: when it started, from where, and what it will bring."""

    started_at: float
    asked_at: Position
    brings: ChangePage | AccessPage | None = None


class KnowledgeMachine(RuleBasedStateMachine):
    """Time goes on with each step, so no two things happen at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.databases = 1
        self.db = AuthDb("d1", now=self.now)
        self.knowledge = Knowledge(records_weight_max=14)
        self.reads: list[Read] = []

    def tick(self) -> None:
        self.now += TICK_S

    def commit(self, state: State, *touched: Touched) -> None:
        self.tick()
        self.db.commit(state, *touched, now=self.now)

    @rule(
        user_id=st.sampled_from(USERS),
        is_active=st.booleans(),
        held=st.sets(st.sampled_from(LOCALS)),
        is_folded=st.booleans(),
    )
    def write_user(self, user_id: str, is_active: bool, held: set[str], is_folded: bool) -> None:
        home = HOME[user_id]
        user = UserRecord(
            organization_id=home,
            is_active=is_active,
            locals=frozenset(local_id for local_id in held if HOME[local_id] == home),
            permissions=(),
        )
        state = replace(self.db.state, users={**self.db.state.users, user_id: user})
        self.commit(state, (home, None if is_folded else user_id, None))

    @rule(user_id=st.sampled_from(USERS), local_id=st.sampled_from(LOCALS))
    def grant_or_revoke(self, user_id: str, local_id: str) -> None:
        user = self.db.state.users.get(user_id)
        if user is None or HOME[local_id] != user.organization_id:
            return
        user = replace(user, locals=user.locals ^ {local_id})
        state = replace(self.db.state, users={**self.db.state.users, user_id: user})
        self.commit(state, (user.organization_id, user_id, local_id))

    @rule(local_id=st.sampled_from(LOCALS), is_active=st.booleans(), is_folded=st.booleans())
    def write_local(self, local_id: str, is_active: bool, is_folded: bool) -> None:
        home = HOME[local_id]
        local = LocalRecord(organization_id=home, name=local_id.upper(), is_active=is_active)
        state = replace(self.db.state, locals={**self.db.state.locals, local_id: local})
        self.commit(state, (home, None, None if is_folded else local_id))

    @rule(organization_id=st.sampled_from(ORGANIZATIONS), is_active=st.booleans())
    def write_organization(self, organization_id: str, is_active: bool) -> None:
        made = OrganizationRecord(is_active=is_active)
        organizations = {**self.db.state.organizations, organization_id: made}
        self.commit(
            replace(self.db.state, organizations=organizations), (organization_id, None, None)
        )

    @rule()
    def start_a_read(self) -> None:
        self.tick()
        position = self.knowledge.freshness.position()
        self.reads.append(Read(started_at=self.now, asked_at=position))

    @rule(data=st.data())
    def see_the_changes(self, data: st.DataObject) -> None:
        at = self.draw_read(data, is_seen=False)
        if at is not None:
            asked = self.reads[at].asked_at
            page = self.db.since(asked.database_id, asked.revision)
            self.reads[at] = replace(self.reads[at], brings=page)

    @rule(
        data=st.data(),
        user_ids=st.sets(st.sampled_from(USERS)),
        organization_ids=st.sets(st.sampled_from(ORGANIZATIONS)),
        local_ids=st.sets(st.sampled_from(LOCALS)),
    )
    def see_records(
        self,
        data: st.DataObject,
        user_ids: set[str],
        organization_ids: set[str],
        local_ids: set[str],
    ) -> None:
        at = self.draw_read(data, is_seen=False)
        if at is not None:
            asked = self.reads[at].asked_at
            page = self.db.access(
                user_ids=user_ids,
                organization_ids=organization_ids,
                local_ids=local_ids,
                database_id=asked.database_id,
                after=asked.revision,
            )
            self.reads[at] = replace(self.reads[at], brings=page)

    @rule(data=st.data(), is_repeated=st.booleans())
    def deliver(self, data: st.DataObject, is_repeated: bool) -> None:
        self.tick()
        at = self.draw_read(data, is_seen=True)
        if at is None:
            return
        read = self.reads[at] if is_repeated else self.reads.pop(at)
        self.take(read)

    def take(self, read: Read) -> None:
        asked_at, started_at = read.asked_at, read.started_at
        if isinstance(read.brings, AccessPage):
            self.knowledge.keep(read.brings, asked_at=asked_at, read_started_at=started_at)
        elif read.brings is not None:
            self.knowledge.learn(read.brings, asked_at=asked_at, read_started_at=started_at)

    @rule()
    def read_all_at_once(self) -> None:
        """What a quiet system does all the time."""
        self.take(self.read_of_all())

    @rule(user_id=st.sampled_from(USERS), held=st.sets(st.sampled_from(LOCALS)))
    def overtake_a_read(self, user_id: str, held: set[str]) -> None:
        """The follower hears of a change while records from before it are on their way."""
        read = self.read_of_all()
        self.write_user(user_id, is_active=True, held=held, is_folded=False)
        self.take(self.read_of_all(users=()))
        self.take(read)

    def read_of_all(self, users: Collection[str] = USERS) -> Read:
        self.start_a_read()
        asked = self.reads[-1].asked_at
        page = self.db.access(
            user_ids=users,
            organization_ids=ORGANIZATIONS,
            local_ids=LOCALS,
            database_id=asked.database_id,
            after=asked.revision,
        )
        return replace(self.reads.pop(), brings=page)

    @rule()
    def trim(self) -> None:
        self.db.trimmed_to = self.db.revision

    @rule()
    def replace_the_database(self) -> None:
        self.tick()
        self.databases += 1
        self.db = AuthDb(f"d{self.databases}", now=self.now)

    @rule(data=st.data())
    def restore_a_backup(self, data: st.DataObject) -> None:
        """One that is noticed before it has caught up: later nobody could tell."""
        self.tick()
        self.db.go_back_to(data.draw(st.integers(0, self.db.revision)), now=self.now)
        self.start_a_read()
        asked = self.reads[-1].asked_at
        page = self.db.since(asked.database_id, asked.revision)
        self.take(replace(self.reads.pop(), brings=page))
        # Whoever read the lost revisions, and comes home only now.
        if self.knowledge.freshness.position().generation == asked.generation:
            self.reads.clear()

    @rule(span_s=st.sampled_from((0.1, LEASE_S)))
    def let_time_pass(self, span_s: float) -> None:
        self.now += span_s

    def draw_read(self, data: st.DataObject, *, is_seen: bool) -> int | None:
        at = [i for i, read in enumerate(self.reads) if (read.brings is not None) == is_seen]
        return data.draw(st.sampled_from(at)) if at else None

    @invariant()
    def no_answer_that_the_database_does_not_support(self) -> None:
        freshness = self.knowledge.freshness
        if not freshness.is_leased(self.now):
            return
        # Half a tick, for what is lost in rounding.
        read_from = self.now - freshness.age_s(self.now) - TICK_S / 2
        if freshness.database_id != self.db.database_id:
            assert self.db.states[0].since > read_from
            return
        known = freshness.revision
        if known > self.db.revision:
            assert self.db.state.since > read_from
            return
        if known < self.db.revision:
            assert self.db.states[known + 1].since > read_from
        self.each_row_is_decided_at(self.db.states[known])

    def each_row_is_decided_at(self, state: State) -> None:
        for user_id, organization_id, local_id in product(USERS, ORGANIZATIONS, LOCALS):
            columns = Columns(
                user_ids=(user_id,), organization_ids=(organization_id,), local_ids=(local_id,)
            )
            decided = decide_rows(self.knowledge.records, columns)
            if isinstance(decided, Decided):
                user = state.users.get(user_id)
                organization = state.organizations.get(organization_id)
                local = state.locals.get(local_id)
                reason = decide_row(user, organization, local, organization_id, local_id)
                assert decided.reasons[0] is reason

    @invariant()
    def the_log_tells_all_changes(self) -> None:
        freshness, log = self.knowledge.freshness, self.knowledge.log
        assert (log.database_id, log.revision) == (freshness.database_id, freshness.revision)
        if freshness.database_id != self.db.database_id or log.revision > self.db.revision:
            return
        for after in range(log.revision + 1):
            page = log.since(log.database_id, after, rows_max=1_000)
            told = self.db.changes[page.after + 1 : page.revision + 1]
            assert page.changes == tuple(change for row in told for change in row)
            assert page.is_gap or page.after == after

    @invariant()
    def there_is_room(self) -> None:
        assert self.knowledge.records.weight <= 14


KnowledgeMachine.TestCase.settings = settings(
    max_examples=150, stateful_step_count=40, deadline=None
)
TestKnowledge = KnowledgeMachine.TestCase


def run_shortly() -> None:
    run_state_machine_as_test(
        KnowledgeMachine,
        settings=settings(
            max_examples=500,
            stateful_step_count=20,
            database=None,
            derandomize=True,
            report_multiple_bugs=False,
            phases=(Phase.generate,),
        ),
    )


def lease_from_now(self: Freshness, page: ChangePage, **told: Any) -> Any:
    del told["read_started_at"]
    return ADVANCE(self, page, read_started_at=1e9, **told)


def any_absence_is_true(self: Knowledge, record: Any, revision: int) -> bool:
    return record is None or IS_TRUE(self, record, revision)


ADVANCE = Freshness.advance
IS_TRUE = Knowledge._is_true


@pytest.mark.parametrize(
    ("owner", "name", "mutation"),
    [
        (Freshness, "last_change", lambda *_: 0),
        (Records, "drop", lambda *_: None),
        (Records, "clear", lambda *_: None),
        (Freshness, "advance", lease_from_now),
        (Knowledge, "_is_true", any_absence_is_true),
    ],
    ids=["store rule", "drop", "reset", "lease from receipt", "what did not exist"],
)
def test_the_law_notices_when_a_rule_is_taken_away(
    monkeypatch: pytest.MonkeyPatch, owner: type, name: str, mutation: Any
) -> None:
    monkeypatch.setattr(owner, name, mutation)

    with pytest.raises(AssertionError):
        run_shortly()
