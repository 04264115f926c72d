"""`authctl` as an operator uses it, wrong input first."""

import io
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from authsvc.cli import main
from authsvc.demo import DEMO_FILE


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Authctl = Callable[..., Outcome]


@pytest.fixture
def authctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Authctl:
    monkeypatch.setenv("AUTH_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/auth.db")

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["authctl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        return Outcome(int(ended.value.code or 0), written.out, written.err)

    return run


def test_a_bad_line_is_named_and_the_others_are_kept(authctl: Authctl, tmp_path: Path) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(b'{"kind":"user"\n' + DEMO_FILE.read_bytes() + b'{"kind":"cat","id":"tom"}\n')

    outcome = authctl("import", str(file))

    assert outcome.code == 2
    assert outcome.out == "imported 2 organizations, 4 locals, 3 roles, 3 users\n"
    assert f"{file}:1: " in outcome.err
    assert f"{file}:14: " in outcome.err
    assert "2 lines were rejected" in outcome.err


def test_what_is_exported_can_be_imported_and_is_the_same(authctl: Authctl, tmp_path: Path) -> None:
    authctl("demo")
    first, second = tmp_path / "first.jsonl", tmp_path / "second.jsonl"

    codes = [
        authctl("export", str(first)).code,
        authctl("import", str(first)).code,
        authctl("export", str(second)).code,
    ]

    assert codes == [0, 0, 0]
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_text().splitlines()) == 12


def test_import_reads_standard_input(authctl: Authctl, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.TextIOWrapper(io.BytesIO(DEMO_FILE.read_bytes()))
    monkeypatch.setattr(sys, "stdin", piped)

    outcome = authctl("import", "-")

    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_a_file_that_cannot_be_read_is_named(authctl: Authctl, tmp_path: Path, name: str) -> None:
    outcome = authctl("import", str(tmp_path / name))

    assert outcome.code == 2
    assert outcome.err.startswith("authctl: cannot read ")


def test_a_file_that_cannot_be_written_is_named(authctl: Authctl, tmp_path: Path) -> None:
    authctl("demo")

    outcome = authctl("export", str(tmp_path / "no" / "such" / "folder"))

    assert outcome.code == 2
    assert outcome.err.startswith("authctl: cannot write ")


def test_grant_and_revoke_change_what_explain_says(authctl: Authctl) -> None:
    authctl("demo")

    before = authctl("explain", "ana", "demo", "norte")
    granted = authctl("grant", "ana", "norte")
    again = authctl("grant", "ana", "norte")
    after = authctl("explain", "ana", "demo", "norte")
    revoked = authctl("revoke", "ana", "norte")

    assert (before.code, "no: NOT_ASSIGNED" in before.out) == (1, True)
    assert granted.out == "ana may enter norte\n"
    assert again.out == "ana may enter norte already\n"
    assert (after.code, "ALLOWED" in after.out, "no:" in after.out) == (0, True, False)
    assert revoked.out == "ana may not enter norte any more\n"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("grant", "nobody", "norte"), "user 'nobody' does not exist"),
        (("grant", "ana", "nowhere"), "local 'nowhere' does not exist"),
        (("grant", "ana", "lejano"), "another organization"),
        (("grant", "", "norte"), "user_id is empty"),
        (("revoke", "ana", "a\x07b"), "control character"),
        (("explain", "ana", "demo", "x" * 129), "longer than 128 bytes"),
        (("token", "issue", "nobody"), "no such user"),
    ],
)
def test_a_wrong_argument_is_one_line(
    authctl: Authctl, arguments: tuple[str, ...], reason: str
) -> None:
    authctl("demo")

    outcome = authctl(*arguments)

    assert outcome.code == 2
    assert outcome.err.startswith("authctl: ")
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1


def test_a_token_speaks_for_its_user(authctl: Authctl) -> None:
    authctl("demo")
    token = authctl("token", "issue", "luis").out.strip()

    verified = authctl("token", "verify", token)

    assert verified.code == 0
    assert "luis" in verified.out
    assert "catalog:create" in verified.out


def test_a_token_can_be_given_on_standard_input(
    authctl: Authctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    authctl("demo")
    token = authctl("token", "issue", "luis").out
    monkeypatch.setattr(sys, "stdin", io.StringIO(token))

    assert authctl("token", "verify", "-").code == 0


def test_a_token_that_is_worth_nothing_says_why(authctl: Authctl) -> None:
    authctl("demo")

    outcome = authctl("token", "verify", "not.a.token")

    assert outcome.code == 1
    assert outcome.err == "not valid: malformed token\n"


def test_the_demo_data_goes_into_an_empty_store_only(authctl: Authctl) -> None:
    assert authctl("demo").out == "loaded the demo data\n"
    assert authctl("demo").out == "the store is not empty; nothing was loaded\n"


def test_migrate_makes_the_schema(authctl: Authctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_MIGRATE_ON_START", "no")

    without = authctl("demo")
    migrated = authctl("migrate")
    after = authctl("demo")

    assert without.code == 2
    assert (migrated.code, after.code) == (0, 0)


def test_a_wrong_setting_is_named(authctl: Authctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTH_TOKEN_TTL_S", "0")

    outcome = authctl("demo")

    assert outcome.code == 2
    assert outcome.err.startswith("authctl: AUTH_TOKEN_TTL_S: ")


def test_a_reader_that_has_gone_is_no_error(authctl: Authctl) -> None:
    authctl("demo")
    script = f"{sys.executable} -m authsvc.cli export | true"

    ended = subprocess.run(["sh", "-c", script], check=True, capture_output=True, timeout=30)

    assert ended.stderr == b""
