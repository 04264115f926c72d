"""`authctl import`, `export`, `demo` and `migrate`: the data as a whole."""

import asyncio
import sys
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import partial
from pathlib import Path
from typing import Annotated, BinaryIO, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.session import run, run_on_any, settings_from_environment
from authsvc.demo import load_demo
from authsvc.migrations import MIGRATIONS
from authsvc.transfer import ImportReport, export_lines, import_lines
from svckit.database_errors import naming
from svckit.migrations import migrate
from svckit.service import StartError

__all__ = ["import_file", "export_file", "demo", "migrate_database", "source_of"]


def import_file(
    file: Annotated[Path, typer.Argument(help="JSON Lines, or - for standard input.")],
) -> None:
    """Put the entities of FILE into the store. Exit code 2 when a line was rejected."""
    report = run_on_any(lambda backend: _import(backend, file))
    taken = report.accepted
    print(
        f"imported {taken.organizations} organizations, {taken.locals} locals, "
        f"{taken.roles} roles, {taken.users} users"
    )
    for line in report.rejected:
        print(f"{file}:{line.number}: {line.reason}", file=sys.stderr)
    if report.rejected_total:
        print(f"authctl: {report.rejected_total} lines were rejected", file=sys.stderr)
        raise typer.Exit(2)


async def _import(backend: Backend, file: Path) -> ImportReport:
    try:
        with source_of(file) as source, _progress_bar() as bar:
            total = None if bar.disable else await asyncio.to_thread(_count_lines, file)
            task = bar.add_task("importing", total=total)
            return await import_lines(
                backend.store,
                source,
                by=OPERATOR,
                on_progress=lambda n: bar.update(task, completed=n),
            )
    except OSError as exc:
        raise StartError(f"cannot read {file}: {exc.strerror}") from exc


def _progress_bar() -> Progress:
    """On standard error, and only where someone watches."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )


def _count_lines(file: Path) -> int | None:
    """None for a pipe, whose content counting would eat, and for a device, which may be endless."""
    if not file.is_file():
        return None
    with file.open("rb") as lines:
        return sum(chunk.count(b"\n") for chunk in iter(partial(lines.read, 1 << 20), b""))


def source_of(file: Path) -> AbstractContextManager[BinaryIO]:
    return _standard(sys.stdin, "standard input") if str(file) == "-" else file.open("rb")


def _target(file: Path) -> AbstractContextManager[BinaryIO]:
    return _standard(sys.stdout, "standard output") if str(file) == "-" else file.open("wb")


def _standard(stream: TextIO | None, name: str) -> AbstractContextManager[BinaryIO]:
    """Not ours to close. Raises StartError when it was closed before we began."""
    if stream is None:
        raise StartError(f"{name} is closed")
    return nullcontext(stream.buffer)


def export_file(
    file: Annotated[Path, typer.Argument(help="Where to; - for standard output.")] = Path("-"),
) -> None:
    """Write every entity as JSON Lines, in an order that `import` reads in one go."""
    run(lambda backend: _export(backend, file))


async def _export(backend: Backend, file: Path) -> None:
    try:
        with _target(file) as target:
            async with aclosing(export_lines(backend.store)) as lines:
                async for line in lines:
                    target.write(line)
            target.flush()
    except BrokenPipeError:
        raise  # the reader has seen enough; the command line framework ends quietly
    except OSError as exc:
        raise StartError(f"cannot write {file}: {exc.strerror}") from exc


def demo() -> None:
    """Load the demo data, if the store is empty."""
    print(
        "loaded the demo data"
        if run_on_any(load_demo)
        else "the store is not empty; nothing was loaded"
    )


def migrate_database() -> None:
    """Bring the database to the schema of this version."""
    with naming("AUTH_DATABASE_URL"):
        asyncio.run(migrate(settings_from_environment().database_url, MIGRATIONS))
    print("the database is at the schema of this version")
