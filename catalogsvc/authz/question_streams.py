"""One question stream for each channel of a pool, opened when first needed, replaced when ended."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from catalogsvc.authz.channels import Lane
from catalogsvc.authz.question_stream import QuestionStream

__all__ = ["QuestionStreams"]

A = TypeVar("A")


class QuestionStreams(Generic[A]):
    """Owns its streams, and not the channels they are on."""

    __slots__ = ("_lanes", "_read", "_route", "_streams", "_tasks", "_turn")

    def __init__(
        self, lanes: Sequence[Lane], route: str, *, read: Callable[[bytes], tuple[int, A]]
    ) -> None:
        self._lanes = lanes
        self._route = route
        self._read = read
        self._streams: list[QuestionStream[A] | None] = [None] * len(lanes)
        # Also those that take no new questions, but still wait for answers.
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = 0

    def pick(self, metadata: Mapping[str, str]) -> QuestionStream[A] | None:
        """The least busy one by turn; None when all are full. A new one opens with `metadata`."""
        count = len(self._lanes)
        self._turn = turn = (self._turn + 1) % count
        least = self._stream(turn, metadata)
        for step in range(1, count):
            if len(least) == 0:
                break
            other = self._stream((turn + step) % count, metadata)
            if len(other) < len(least):
                least = other
        return None if least.is_full else least

    async def close(self) -> None:
        """Each question that is still out fails."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _stream(self, position: int, metadata: Mapping[str, str]) -> QuestionStream[A]:
        stream = self._streams[position]
        if stream is None or not stream.is_open:
            stream = QuestionStream(
                self._lanes[position], self._route, metadata=dict(metadata), read=self._read
            )
            self._streams[position] = stream
            self._tasks.add(stream.task)
            stream.task.add_done_callback(self._tasks.discard)
        return stream
