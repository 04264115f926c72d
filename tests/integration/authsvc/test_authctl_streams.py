"""`authctl` on odd streams: pipes, full devices, closed ends, and a database that is not there."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from authsvc.cli import main
from authsvc.demo import DEMO_FILE
from tests.processes import ROOT

IMPORTED = b"imported 2 organizations, 4 locals, 3 roles, 3 users\n"

Shell = Callable[[str], "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where authctl looks for it; there is none yet."""
    path = tmp_path / "auth.db"
    monkeypatch.setenv("AUTH_DATABASE_URL", f"sqlite+aiosqlite:///{path}")
    return path


@pytest.fixture
def shell(database: Path) -> Shell:
    """Runs a line in which authctl works on the file "$database", and "$demo" is one to import."""
    begin = 'authctl() { "$python" -m authsvc.cli "$@"; }; '
    paths = {"python": sys.executable, "database": str(database), "demo": str(DEMO_FILE)}

    def run(line: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            ["sh", "-c", begin + line],
            cwd=ROOT,
            env={**os.environ, **paths},
            capture_output=True,
            timeout=30,
            check=False,
        )

    return run


def test_a_pipe_is_imported_whole(shell: Shell) -> None:
    ended = shell('cat "$demo" | authctl import /dev/stdin')

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, IMPORTED, b"")


def test_a_named_pipe_is_imported_whole(shell: Shell, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    # A thread, because opening it waits for the other end.
    writer = threading.Thread(target=fifo.write_bytes, args=(DEMO_FILE.read_bytes(),), daemon=True)
    writer.start()

    # In the place of the shell, so that its time limit ends authctl too.
    ended = shell(f"exec \"$python\" -m authsvc.cli import '{fifo}'")

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, IMPORTED, b"")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("authctl import - <&-", "standard input is closed"),
        ('touch "$database"; authctl export - >&-', "standard output is closed"),
        ('authctl import "$demo" >/dev/full', "cannot write standard output: No space left on"),
    ],
    ids=["standard input closed", "standard output closed", "device full"],
)
def test_a_stream_that_does_not_work_is_one_line(shell: Shell, line: str, reason: str) -> None:
    ended = shell(line)

    told = ended.stderr.decode()
    assert ended.returncode == 2
    assert told.startswith(f"authctl: {reason}")
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", ["explain ana demo centro", "export -", "token issue ana"])
def test_a_database_that_is_not_there_is_named_and_not_made(
    database: Path,
    command: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["authctl", *command.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    expected = f"authctl: there is no database at {database}; AUTH_DATABASE_URL names it\n"
    assert capsys.readouterr().err == expected
    assert list(database.parent.iterdir()) == []
