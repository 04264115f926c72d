"""One whole run: sections in their order, in a temporary folder, and what is written of it."""

import asyncio
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import msgspec

from bench import plots, report
from bench.machine import describe_machine, load_average
from bench.plan import Plan, Section
from bench.postgresql import open_postgresql
from bench.processes import Processes
from bench.progress import Show
from bench.results import Results
from bench.sections import RUN
from bench.stage import Stage

__all__ = ["run", "write"]


async def run(plan: Plan, sections: Sequence[Section], *, store: str, show: Show) -> Results:
    """Raises BenchError. Cancelled (Ctrl-C, SIGTERM), it ends its processes before it leaves."""
    results = Results(
        plan=plan.name, store=store, machine=describe_machine(), load_before=load_average()
    )
    began = time.perf_counter()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="portero-bench-")))
        postgresql = None
        if store == "postgresql":
            postgresql = stack.enter_context(open_postgresql(folder / "postgresql"))
        stage = Stage(
            plan=plan,
            folder=folder,
            show=show,
            results=results,
            processes=Processes(folder),
            postgresql=postgresql,
        )
        with _cancelled_by_sigterm():
            for section in sections:
                await RUN[section](stage)
    results.took_s = time.perf_counter() - began
    return results


def write(results: Results, folder: Path, *, name: str) -> Path:
    """NAME.json, NAME.md and NAME-*.png and .svg; gives the path of the report."""
    folder.mkdir(parents=True, exist_ok=True)
    encoded = msgspec.json.format(msgspec.json.encode(results), indent=1)
    (folder / f"{name}.json").write_bytes(encoded + b"\n")
    drawn = plots.draw(results, folder, prefix=name)
    page = folder / f"{name}.md"
    page.write_text(report.markdown(results, plots=drawn), encoding="utf-8")
    return page


@contextmanager
def _cancelled_by_sigterm() -> Iterator[None]:
    """As asyncio.run does with Ctrl-C, so that either way nothing is left behind."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGTERM)
