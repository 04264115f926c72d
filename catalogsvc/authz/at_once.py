"""Asks many at once, but not too many; the first failure ends them all."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

__all__ = ["ask_at_once"]

Q = TypeVar("Q")
A = TypeVar("A")


async def ask_at_once(
    ask: Callable[[Q], Awaitable[A]], questions: Sequence[Q], *, lanes_max: int
) -> list[A]:
    """The answers in the order of their questions. Raises what the first failure raised."""
    if len(questions) == 1:
        return [await ask(questions[0])]
    answers: dict[int, A] = {}
    waiting = iter(enumerate(questions))

    async def ask_in_turn() -> None:
        for position, question in waiting:
            answers[position] = await ask(question)

    lanes = min(len(questions), lanes_max)
    tasks = [asyncio.create_task(ask_in_turn(), name="auth-rows") for _ in range(lanes)]
    # Not a TaskGroup: while it ends its tasks it would take our caller's cancellation for its own,
    # and callers ask one thing, so they get one error and no group of them.
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    # All are asked for theirs: asyncio complains of an error that nobody took.
    errors = [error for task in tasks if not task.cancelled() and (error := task.exception())]
    if errors:
        raise errors[0]
    return [answers[position] for position in range(len(questions))]
