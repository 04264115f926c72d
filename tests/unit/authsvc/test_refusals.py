"""Whoever was refused has a row in the audit log, however many they are, and when it is there."""

import asyncio
from collections.abc import Sequence

import pytest

from authsvc.audit import STRANGER, Actor, ActorKind, AuditEntry
from authsvc.denials import KINDS_MAX, WINDOW_S
from authsvc.refusals import UNWRITTEN_MAX, Refusals, noting
from authsvc.store import Administration
from svckit.callers import LimitedCaller, UnknownCaller
from svckit.errors import Unavailable


class Noting(Administration):
    def __init__(self) -> None:
        self.noted: list[AuditEntry] = []
        self.error: Exception | None = None
        self.is_hanging = False
        self.tries = 0
        self.tried = asyncio.Event()

    async def note(self, entries: Sequence[AuditEntry]) -> None:
        self.tries += 1
        self.tried.set()
        if self.error is not None:
            raise self.error
        if self.is_hanging:
            await asyncio.Event().wait()
        self.noted += entries


class Setting:
    def __init__(self) -> None:
        self.now = 0.0
        self.log = Noting()
        self.bugs: list[BaseException] = []
        self.refusals = Refusals(self.log, clock=lambda: self.now)

    async def until_tried(self, times: int) -> None:
        async with asyncio.timeout(5):
            while self.log.tries < times:
                await self.log.tried.wait()
                self.log.tried.clear()


async def test_a_program_at_the_gate_is_noted_soon_by_what_is_known_of_it() -> None:
    a = Setting()
    async with noting(a.refusals, report_bug=a.bugs.append):
        a.refusals.note_caller("192.0.2.1", "CheckLocals", UnknownCaller("unknown key"))
        a.refusals.note_caller("192.0.2.2", "Watch", LimitedCaller("billing", "Watch"))
        await a.until_tried(1)

    assert [(entry.actor, entry.target, entry.after) for entry in a.log.noted] == [
        (STRANGER, "rpc:CheckLocals", {"status": 401, "count": 1, "address": "192.0.2.1"}),
        (
            Actor(kind=ActorKind.SERVICE, id="billing"),
            "rpc:Watch",
            {"status": 403, "count": 1, "address": "192.0.2.2"},
        ),
    ]


async def test_a_flood_of_strangers_is_few_rows_and_hides_no_service() -> None:
    a = Setting()
    async with noting(a.refusals, report_bug=a.bugs.append):
        for number in range(10_000):
            a.refusals.note_caller(f"peer{number}", "Watch", UnknownCaller("no credential"))
        a.refusals.note_caller("192.0.2.2", "Watch", LimitedCaller("billing", "Watch"))
        await a.until_tried(1)

    assert len(a.log.noted) <= KINDS_MAX + 2
    assert a.log.noted[-1].actor.id == "billing"


async def test_what_could_not_be_written_is_written_when_the_database_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("authsvc.refusals.PAUSE_S", 0.001)
    a = Setting()
    a.log.error = Unavailable("down")
    async with noting(a.refusals, report_bug=a.bugs.append):
        a.refusals.note_caller("192.0.2.1", "Watch", UnknownCaller("no credential"))
        await a.until_tried(2)
        a.log.error = None
        await a.until_tried(a.log.tries + 1)

    assert [entry.target for entry in a.log.noted] == ["rpc:Watch"]


async def test_a_write_that_hangs_is_given_up_and_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("authsvc.refusals.PAUSE_S", 0.001)
    monkeypatch.setattr("authsvc.refusals.WRITE_TIMEOUT_S", 0.01)
    a = Setting()
    a.log.is_hanging = True
    async with noting(a.refusals, report_bug=a.bugs.append):
        a.refusals.note_caller("192.0.2.1", "Watch", UnknownCaller("no credential"))
        await a.until_tried(1)
        a.log.is_hanging = False
        await a.until_tried(2)

    assert [entry.target for entry in a.log.noted] == ["rpc:Watch"]
    assert a.bugs == []


async def test_a_bug_is_reported_and_the_next_refusals_are_written() -> None:
    a = Setting()
    a.log.error = LookupError("a bug")
    async with noting(a.refusals, report_bug=a.bugs.append):
        a.refusals.note_caller("192.0.2.1", "Watch", UnknownCaller("no credential"))
        await a.until_tried(1)
        a.log.error = None
        a.refusals.note_caller("192.0.2.1", "CheckLocals", UnknownCaller("no credential"))
        await a.until_tried(2)

    assert [type(bug) for bug in a.bugs] == [LookupError]
    assert [entry.target for entry in a.log.noted] == ["rpc:CheckLocals"]


async def test_what_waits_for_the_database_is_bounded() -> None:
    a = Setting()
    for number in range(3 * UNWRITTEN_MAX):
        a.now += WINDOW_S
        a.refusals.note_caller(f"peer{number}", "Watch", UnknownCaller("no credential"))
    async with noting(a.refusals, report_bug=a.bugs.append):
        await a.until_tried(1)

    assert len(a.log.noted) == UNWRITTEN_MAX


async def test_beyond_the_bound_the_oldest_go_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("authsvc.refusals.UNWRITTEN_MAX", 2)
    monkeypatch.setattr("authsvc.refusals.PAUSE_S", 0.001)
    a = Setting()
    write, later = a.log.note, ["Second", "Third"]

    def refuse(rpc: str) -> None:
        a.refusals.note_caller("192.0.2.1", rpc, UnknownCaller("no credential"))

    async def write_while_others_are_refused(entries: Sequence[AuditEntry]) -> None:
        a.log.error = Unavailable("down") if later else None
        while later:
            refuse(later.pop(0))
        await write(entries)

    monkeypatch.setattr(a.log, "note", write_while_others_are_refused)
    async with noting(a.refusals, report_bug=a.bugs.append):
        refuse("First")
        await a.until_tried(2)

    assert [entry.target for entry in a.log.noted] == ["rpc:Second", "rpc:Third"]
