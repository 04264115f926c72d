"""`python -m svckit`: services start and stop as one process, seen from outside it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).parents[3]

# A service that tells what it does, and does what its environment says.
SERVICE = """
    import asyncio, os
    from contextlib import asynccontextmanager

    from svckit.service import Serving, StartError

    NAME = __name__.partition(".")[0]

    def does(what):
        return what in os.environ.get(NAME.upper() + "_DOES", "")

    class App:
        name = NAME

        @asynccontextmanager
        async def serve(self):
            if does("refuse"):
                raise StartError(NAME + "_BIND: cannot listen here")
            if does("break"):
                raise RuntimeError("a bug at the start")
            async with asyncio.TaskGroup() as tasks:
                watch = tasks.create_task(self.watch())
                try:
                    print(NAME, "up", flush=True)
                    yield Serving(endpoints={"at": NAME + ":1"}, notes=("try " + NAME,))
                finally:
                    print(NAME, "stopping", flush=True)
                    if does("hang"):
                        await asyncio.sleep(60)
                    print(NAME, "down", flush=True)
                    watch.cancel()

        async def watch(self):
            if does("fail"):
                raise RuntimeError("the watcher has failed")
            await asyncio.Event().wait()

    def create_service(environ):
        if does("misread"):
            raise StartError(NAME.upper() + "_COUNT: Expected `int`, got `str`")
        return App()
"""
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `python -m svckit` over modules one, two, three and broken; ends what is left."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "app.py").write_text(dedent(SERVICE))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "app.py").write_text("import no_such_library\n")
    started: list[subprocess.Popen[str]] = []

    def start_process(*modules: str, **does: str) -> subprocess.Popen[str]:
        environ = {f"{name.upper()}_DOES": what for name, what in does.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "svckit", *modules],
            cwd=tmp_path,
            env={**os.environ, **environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start_process
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen[str], last: str) -> list[str]:
    """The lines so far, up to the awaited one, or to the end of a process that never says it."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line.strip())
        if lines[-1] == last:
            break
    return lines


def end_of(process: subprocess.Popen[str]) -> tuple[int, list[str], str]:
    """Exit code, the remaining lines of stdout, all of stderr."""
    out, err = process.communicate(timeout=20)
    return process.returncode, out.splitlines(), err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_services_start_in_order_and_stop_in_reverse(start: Start, number: signal.Signals) -> None:
    process = start("one", "two", "three")

    lines = read_until(process, "try three")
    process.send_signal(number)
    code, rest, err = end_of(process)

    assert lines == [
        *("one up", "two up", "three up"),
        *("one      at     one:1", "two      at     two:1", "three    at     three:1"),
        *("try one", "try two", "try three"),
    ]
    assert rest == [
        f"{name} {word}" for name in ("three", "two", "one") for word in ("stopping", "down")
    ]
    assert (code, err) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_a_stop_that_hangs_at_once(
    start: Start, number: signal.Signals
) -> None:
    process = start("one", one="hang")
    read_until(process, "try one")
    process.send_signal(number)
    read_until(process, "one stopping")

    process.send_signal(number)
    code, rest, err = end_of(process)

    assert (code, rest, err) == (-number, [], "")


def test_a_service_that_cannot_start_stops_those_before_it_and_says_why_in_one_line(
    start: Start,
) -> None:
    code, lines, err = end_of(start("one", "two", "three", two="refuse"))

    assert lines == ["one up", "one stopping", "one down"]
    assert (code, err) == (2, "cannot start: two_BIND: cannot listen here\n")


def test_a_service_with_a_wrong_setting_starts_nothing(start: Start) -> None:
    code, lines, err = end_of(start("one", "two", two="misread"))

    assert (code, lines) == (2, [])
    assert err == "cannot start: TWO_COUNT: Expected `int`, got `str`\n"


@pytest.mark.parametrize("does", ["fail", "break"])
def test_a_bug_stops_all_services_in_order_and_is_told_with_its_traceback(
    start: Start, does: str
) -> None:
    code, lines, err = end_of(start("one", "two", two=does))

    assert lines[-2:] == ["one stopping", "one down"]
    assert code == 1
    assert "Traceback" in err
    assert {"fail": "the watcher has failed", "break": "a bug at the start"}[does] in err


@pytest.mark.parametrize("module", ["nowhere", "no.where", "os", "--help"])
def test_a_module_that_is_no_service_is_refused_in_one_line(start: Start, module: str) -> None:
    code, lines, err = end_of(start(module))

    assert (code, lines, err) == (2, [], f"cannot start: no service is named {module!r}\n")


def test_a_library_that_a_service_misses_is_told_with_its_traceback(start: Start) -> None:
    code, _, err = end_of(start("broken"))

    assert code == 1
    assert "No module named 'no_such_library'" in err


def test_without_a_module_the_usage_is_told(start: Start) -> None:
    code, lines, err = end_of(start())

    assert (code, lines) == (2, [])
    assert err.startswith("usage: python -m svckit MODULE")
