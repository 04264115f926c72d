"""Says on standard error what is being measured, as a bar where someone watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

__all__ = ["Show"]


class Show:
    """Used with `with`. `steps` says how many are to come, `step` what the next one is."""

    def __init__(self, console: Console | None = None) -> None:
        console = console or Console(stderr=True)
        self._is_watched = console.is_terminal
        self._bars = Progress(
            TextColumn("{task.description:<44}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._section = self._bars.add_task("starting", total=None)

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def section(self, name: str, steps: int) -> None:
        self._bars.reset(self._section, total=steps, description=name)
        if not self._is_watched:
            self._bars.console.print(f"{name}: {steps} measurements", highlight=False)

    def step(self, description: str) -> None:
        self._bars.update(self._section, description=description)

    def step_done(self) -> None:
        self._bars.advance(self._section)

    @contextmanager
    def building(self, description: str, total: int) -> Iterator[Callable[[int], None]]:
        """Gives what is to be called with the number that is done."""
        if not self._is_watched:
            self._bars.console.print(f"building {description}", highlight=False)
        task = self._bars.add_task(f"building {description}", total=total)
        try:
            yield lambda completed: self._bars.update(task, completed=completed)
        finally:
            self._bars.remove_task(task)
