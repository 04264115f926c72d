"""Answers from what is known while the lease lasts, else from the store; each of one revision."""

import asyncio

import pytest

from authsvc.as_of import AsOf
from authsvc.checks import Checks
from authsvc.columns import Columns, read_columns
from authsvc.decision import Reason
from authsvc.freshness import LEASE_S
from authsvc.knowledge import Knowledge
from svckit.errors import Unavailable
from tests.fakes import FakeStore

ROW = ("u1", "o1", "l1")


def rows(*asked: tuple[str, str, str]) -> Columns:
    user_ids, organization_ids, local_ids = zip(*asked, strict=True)
    return read_columns(user_ids=user_ids, organization_ids=organization_ids, local_ids=local_ids)


class Setting:
    """u1 of o1 works at l1. A test is the follower: `follow` reads the changes."""

    def __init__(self) -> None:
        self.now = 100.0
        self.store = FakeStore()
        self.store.put_organization()
        self.store.put_local("l1")
        self.store.put_user("u1", locals_={"l1"}, permissions=("a:b",))
        self.knowledge = Knowledge(records_weight_max=1_000)
        self.checks = Checks(store=self.store, knowledge=self.knowledge, clock=lambda: self.now)

    def follow(self) -> None:
        position = self.knowledge.freshness.position()
        page = self.store.page_since(position.database_id, position.revision)
        self.knowledge.learn(page, asked_at=position, read_started_at=self.now)

    async def reason(self, *row: str) -> Reason:
        (reason,) = (await self.ask(rows((row[0], row[1], row[2]))))[0]
        return reason

    async def ask(self, columns: Columns) -> tuple[list[Reason], AsOf]:
        decided, as_of = await self.checks.decide(columns)
        return list(decided.reasons), as_of

    async def warm(self) -> None:
        self.follow()
        await self.ask(rows(ROW))
        self.store.access_reads = 0


async def test_what_is_known_is_answered_without_a_read_and_without_waiting() -> None:
    a = Setting()
    await a.warm()
    a.now += 0.5

    asking = a.checks.decide(rows(ROW))
    with pytest.raises(StopIteration) as returned:
        asking.send(None)

    decided, as_of = returned.value.value
    assert (list(decided.reasons), list(decided.local_names)) == ([Reason.ALLOWED], ["Centro"])
    assert as_of == AsOf(database_id="d1", revision=3, age_s=0.5)
    assert a.store.access_reads == 0


async def test_one_read_fills_in_all_that_is_missing_and_it_stays_known() -> None:
    a = Setting()
    a.follow()
    question = rows(ROW, ("u1", "o1", "l9"), ("u9", "o9", "l1"))

    first, _ = await a.ask(question)
    again, _ = await a.ask(question)

    assert first == again == [Reason.ALLOWED, Reason.UNKNOWN_LOCAL, Reason.UNKNOWN_USER]
    assert a.store.access_reads == 1


async def test_without_a_lease_each_question_is_a_read() -> None:
    a = Setting()

    assert await a.reason(*ROW) is Reason.ALLOWED
    a.store.put_user("u1")
    assert await a.reason(*ROW) is Reason.NOT_ASSIGNED
    assert a.store.access_reads == 2


async def test_a_lapsed_lease_is_not_believed_and_the_answer_is_as_old_as_its_read() -> None:
    a = Setting()
    await a.warm()
    a.store.put_user("u1")
    a.now += LEASE_S

    reasons, as_of = await a.ask(rows(ROW))

    assert reasons == [Reason.NOT_ASSIGNED]
    assert as_of == AsOf(database_id="d1", revision=4, age_s=0.0)


async def test_a_store_that_is_down_fails_what_is_not_known_and_nothing_else() -> None:
    a = Setting()
    await a.warm()
    a.store.is_down = True

    assert await a.reason(*ROW) is Reason.ALLOWED
    with pytest.raises(Unavailable):
        await a.reason("u2", "o1", "l1")
    a.now += LEASE_S
    with pytest.raises(Unavailable):
        await a.reason(*ROW)


async def test_a_change_that_is_known_is_in_the_next_answer() -> None:
    a = Setting()
    await a.warm()
    a.store.put_user("u1")
    a.follow()

    assert await a.reason(*ROW) is Reason.NOT_ASSIGNED


async def test_a_change_of_one_organization_costs_others_nothing() -> None:
    a = Setting()
    await a.warm()
    a.store.put_organization("o2")
    a.follow()

    assert await a.reason(*ROW) is Reason.ALLOWED
    assert a.store.access_reads == 0


async def test_records_from_before_a_change_that_became_known_meanwhile_are_read_again() -> None:
    a = Setting()
    a.follow()
    a.store.access_gate.clear()
    asking = asyncio.create_task(a.reason(*ROW))
    for _ in range(3):
        await asyncio.sleep(0)
    assert a.store.access_reads == 1
    a.store.put_user("u1")
    a.follow()
    a.store.access_gate.set()

    assert await asking is Reason.NOT_ASSIGNED
    assert a.store.access_reads == 2


async def test_when_changes_overtake_every_read_the_answer_is_one_read_of_everything() -> None:
    a = Setting()
    a.follow()

    read_access = a.store.read_access

    async def overtaken(**asked: object) -> object:
        page = await read_access(**asked)  # type: ignore[arg-type] # as it came
        a.store.put_user("u1", locals_={"l1"})
        a.follow()
        return page

    a.store.read_access = overtaken  # type: ignore[method-assign,assignment] # one store among many

    reasons, as_of = await a.ask(rows(ROW))

    assert reasons == [Reason.ALLOWED]
    assert as_of.revision == a.store.revision - 1
    assert a.store.access_reads == 3


async def test_an_answer_is_never_made_of_two_databases() -> None:
    a = Setting()
    await a.warm()
    a.store.access_gate.clear()
    asking = asyncio.create_task(a.ask(rows(ROW, ("u2", "o1", "l1"))))
    await asyncio.sleep(0)
    a.store.database_id = "d2"
    a.store.put_user("u1")
    a.store.put_user("u2", locals_={"l1"})
    a.follow()
    a.store.access_gate.set()

    reasons, as_of = await asking

    assert reasons == [Reason.NOT_ASSIGNED, Reason.ALLOWED]
    assert as_of.database_id == "d2"


async def test_a_user_is_known_with_their_organization() -> None:
    a = Setting()
    a.follow()

    access, as_of = await a.checks.user_access("u1")
    nobody, _ = await a.checks.user_access("nobody")

    assert access.user == a.store.users["u1"]
    assert access.organization == a.store.organizations["o1"]
    assert as_of.revision == 3
    assert (nobody.user, nobody.organization) == (None, None)
    await a.checks.user_access("u1")
    assert a.store.access_reads == 2


async def test_an_organization_that_fell_out_is_read_again_for_its_user() -> None:
    a = Setting()
    a.follow()
    a.knowledge.records.put_user("u1", a.store.users["u1"])

    access, _ = await a.checks.user_access("u1")

    assert access.organization == a.store.organizations["o1"]
    assert a.store.access_reads == 1


async def test_only_what_needs_no_read_is_warm() -> None:
    a = Setting()
    assert not a.checks.is_warm(rows(ROW))
    await a.warm()
    assert a.checks.is_warm(rows(ROW))
    assert not a.checks.is_warm(rows(ROW, ("u2", "o1", "l1")))
    a.now += LEASE_S
    assert not a.checks.is_warm(rows(ROW))


async def test_the_facts_of_an_explanation_come_from_the_same_records() -> None:
    a = Setting()
    a.follow()

    facts, as_of = await a.checks.facts(rows(ROW))
    again, _ = await a.checks.facts(rows(ROW))

    assert facts == again
    assert facts.is_assigned
    assert (as_of.revision, a.store.access_reads) == (3, 1)
