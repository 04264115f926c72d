"""`python -m bench [quick] [--only miss,hit]`: measures, and writes what it found."""

import asyncio
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast, get_args

import typer
from rich.console import Console
from rich.table import Table

from bench.goals import goals_of
from bench.plan import FULL, QUICK, SECTIONS, Section
from bench.processes import BenchError
from bench.progress import Show
from bench.results import Results
from bench.run import run, write

__all__: list[str] = []

RESULTS = Path(__file__).parent / "results"


class Size(StrEnum):
    FULL = "full"
    QUICK = "quick"


class Database(StrEnum):
    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


def bench(
    size: Annotated[
        Size, typer.Argument(help="full: a quarter of an hour. quick: two minutes, less exact.")
    ] = Size.FULL,
    only: Annotated[str, typer.Option(help=f"Some of {','.join(SECTIONS)}.")] = "",
    store: Annotated[Database, typer.Option(help="What Auth stands on.")] = Database.SQLITE,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = RESULTS,
) -> None:
    """Measure Portero against grpc.aio, both in this run, and draw what came of it.

    Only a full run of all sections on SQLite is called `latest`; others leave it as it is.
    """
    sections = _sections(only)
    plan = FULL if size is Size.FULL else QUICK
    try:
        with Show() as show:
            results = asyncio.run(run(plan, sections, store=store.value, show=show))
    except BenchError as exc:
        print(f"bench: {exc}", file=sys.stderr)
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("bench: stopped; nothing was written", file=sys.stderr)
        raise typer.Exit(130) from None
    page = write(results, out, name=_name(size, sections, store))
    Console().print(_goals(results))
    if results.unanswered:
        print(f"{results.unanswered:,} questions got no answer; the report says whose")
    print(f"written: {page}")


def _sections(only: str) -> tuple[Section, ...]:
    if not only:
        return SECTIONS
    chosen = only.split(",")
    known = get_args(Section)
    if unknown := [name for name in chosen if name not in known]:
        raise typer.BadParameter(f"{unknown[0]!r} is none of {', '.join(known)}")
    return tuple(cast(Section, name) for name in known if name in chosen)


def _goals(results: Results) -> Table:
    """The rest is in the report, which is too wide for a terminal."""
    table = Table("", "goal", "reached", "")
    for goal in goals_of(results):
        mark = "[green]met[/]" if goal.is_met else "[red]missed[/]"
        table.add_row(goal.name, goal.wanted, goal.reached, mark)
    return table


def _name(size: Size, sections: tuple[Section, ...], store: Database) -> str:
    if size is Size.QUICK:
        return "quick"
    if sections == SECTIONS and store is Database.SQLITE:
        return "latest"
    return "partial" if sections != SECTIONS else f"latest-{store.value}"


if __name__ == "__main__":
    typer.run(bench)
