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
        self.is_down = False
        self.tries = 0
        self.tried = asyncio.Event()

    async def note(self, entries: Sequence[AuditEntry]) -> None:
        self.tries += 1
        self.tried.set()
        if self.is_down:
            raise Unavailable("down")
        self.noted += entries


class Setting:
    def __init__(self) -> None:
        self.now = 0.0
        self.log = Noting()
        self.refusals = Refusals(self.log, clock=lambda: self.now)

    async def until_tried(self, times: int) -> None:
        async with asyncio.timeout(5):
            while self.log.tries < times:
                await self.log.tried.wait()
                self.log.tried.clear()


async def test_a_program_at_the_gate_is_noted_soon_by_what_is_known_of_it() -> None:
    a = Setting()
    async with noting(a.refusals):
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
    async with noting(a.refusals):
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
    a.log.is_down = True
    async with noting(a.refusals):
        a.refusals.note_caller("192.0.2.1", "Watch", UnknownCaller("no credential"))
        await a.until_tried(2)
        a.log.is_down = False
        await a.until_tried(a.log.tries + 1)

    assert [entry.target for entry in a.log.noted] == ["rpc:Watch"]


async def test_what_waits_for_the_database_is_bounded() -> None:
    a = Setting()
    for number in range(3 * UNWRITTEN_MAX):
        a.now += WINDOW_S
        a.refusals.note_caller(f"peer{number}", "Watch", UnknownCaller("no credential"))
    async with noting(a.refusals):
        await a.until_tried(1)

    assert len(a.log.noted) == UNWRITTEN_MAX
