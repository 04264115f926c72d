"""A file of lines into the store: any order, 1,000 lines a transaction, as often as you like.

The file is read once per kind, so that whatever a line builds on is there before it. What was
committed stays when a later part fails; the same import again finishes the work.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from authsvc.audit import Actor
from authsvc.model import Entity
from authsvc.store import Rejection, Store
from authsvc.transfer.lines import LINE_BYTES_MAX, Kind, Parsed, line_kind, parse_line
from svckit.errors import InvalidRequest

__all__ = ["Counts", "ImportReport", "RejectedLine", "import_lines"]

LINES_PER_TRANSACTION = 1_000
REPORTED_MAX = 100
BOM = b"\xef\xbb\xbf"

# A line that the pass at hand has to settle: its number, and what it holds or why it holds nothing.
Settled = tuple[int, Parsed | InvalidRequest]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many there are of each kind."""

    organizations: int = 0
    locals: int = 0
    roles: int = 0
    users: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedLine:
    """`number` counts from 1."""

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """How many lines were taken, of each kind; `rejected` names the first of those that were not.

    At most 100 are named, in the order of the file; `rejected_total` counts all.
    """

    accepted: Counts
    rejected: tuple[RejectedLine, ...]
    rejected_total: int


async def import_lines(
    store: Store,
    source: Path | IO[bytes],
    *,
    by: Actor,
    on_progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Reads `source` from where it stands, a pipe included; blank lines and a BOM are no matter.

    `on_progress` hears after each transaction how many lines are settled. Raises Unavailable,
    Conflict when no platform admin would remain, and OSError when the source cannot be read.
    """
    tally = _Tally()
    async with _seekable(source) as file:
        start = file.tell()
        for kind in Kind:
            file.seek(start)
            lines = _to_settle(file, kind)
            while part := await asyncio.to_thread(_take, lines):
                await _import_part(store, kind, part, tally, by=by)
                if on_progress is not None:
                    on_progress(tally.settled)
    return tally.report()


async def _import_part(
    store: Store, kind: Kind, part: list[Settled], tally: "_Tally", *, by: Actor
) -> None:
    numbers = []
    entities: list[Entity] = []
    unsaid: set[int] = set()
    for number, found in part:
        if isinstance(found, InvalidRequest):
            tally.reject(number, found.detail)
        else:
            if not found.has_status:
                unsaid.add(len(entities))
            numbers.append(number)
            entities.append(found.entity)
    rejections: Sequence[Rejection] = ()
    if entities:
        rejections = await store.put_each(entities, by=by, without_status=unsaid)
    for rejection in rejections:
        tally.reject(numbers[rejection.index], rejection.error.detail)
    tally.accept(kind, len(entities) - len(rejections))


class _Tally:
    """What the report will say, while the import runs."""

    def __init__(self) -> None:
        self._accepted: Counter[Kind] = Counter()
        self._rejected: list[RejectedLine] = []
        self._rejected_total = 0

    @property
    def settled(self) -> int:
        return self._accepted.total() + self._rejected_total

    def accept(self, kind: Kind, lines: int) -> None:
        self._accepted[kind] += lines

    def reject(self, number: int, reason: str) -> None:
        self._rejected_total += 1
        self._rejected.append(RejectedLine(number=number, reason=reason))
        if len(self._rejected) >= 2 * REPORTED_MAX:
            self._rejected = self._first_rejected()

    def report(self) -> ImportReport:
        accepted = Counts(
            organizations=self._accepted[Kind.ORGANIZATION],
            locals=self._accepted[Kind.LOCAL],
            roles=self._accepted[Kind.ROLE],
            users=self._accepted[Kind.USER],
        )
        return ImportReport(
            accepted=accepted,
            rejected=tuple(self._first_rejected()),
            rejected_total=self._rejected_total,
        )

    def _first_rejected(self) -> list[RejectedLine]:
        return sorted(self._rejected, key=lambda line: line.number)[:REPORTED_MAX]


def _take(lines: Iterator[Settled]) -> list[Settled]:
    return list(islice(lines, LINES_PER_TRANSACTION))


def _to_settle(file: IO[bytes], kind: Kind) -> Iterator[Settled]:
    """The lines of this kind; the first pass also takes those that are of no kind."""
    for number, line in _numbered(file):
        found = _settle(line, kind)
        if found is not None:
            yield number, found


def _settle(line: bytes, kind: Kind) -> Parsed | InvalidRequest | None:
    try:
        claimed = line_kind(line)
    except InvalidRequest as error:
        return error if kind is Kind.ORGANIZATION else None
    if claimed is not kind:
        return None
    try:
        return parse_line(line)
    except InvalidRequest as error:
        return error


def _numbered(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank. One that is too long is cut, yet stays too long to be taken."""
    # Room for what is stripped, so that the longest good line is read whole.
    read_max = LINE_BYTES_MAX + len(BOM) + len(b"\r\n")
    number = 0
    while raw := file.readline(read_max):
        number += 1
        line = raw.removeprefix(BOM) if number == 1 else raw
        if raw.endswith(b"\n") or len(raw) < read_max:
            line = line.rstrip(b"\r\n")
        else:
            _skip_line(file)
        if line.strip():
            yield number, line


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(LINE_BYTES_MAX)) and not rest.endswith(b"\n"):
        pass


@asynccontextmanager
async def _seekable(source: Path | IO[bytes]) -> AsyncIterator[IO[bytes]]:
    if isinstance(source, Path):
        with source.open("rb") as file:
            yield file
    elif source.seekable():  # noqa: ASYNC240 # an open file by now, not a Path
        yield source
    else:
        with tempfile.TemporaryFile() as spool:
            await asyncio.to_thread(shutil.copyfileobj, source, spool)
            spool.seek(0)
            yield spool
