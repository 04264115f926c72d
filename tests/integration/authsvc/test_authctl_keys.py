"""`authctl keys`: what is listed, made and withdrawn, and what is refused."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from authsvc.cli import main


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
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["authctl", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        assert "PRIVATE" not in written.out + written.err
        return Outcome(int(ended.value.code or 0), written.out, written.err)

    assert run("demo").code == 0
    return run


def listed(authctl: Authctl) -> list[tuple[str, str]]:
    """The ids of the keys, and what each is for."""
    return re.findall(r"([0-9a-f]{16}) .*?(published|signing|retired)", authctl("keys", "list").out)


def test_the_first_key_is_listed_and_signs(authctl: Authctl) -> None:
    outcome = authctl("keys", "list")

    assert outcome.code == 0
    assert re.search(r"[0-9a-f]{16} │ ES256 +│ signing +│ .*Z │ - +│ plain", outcome.out)


def test_the_next_key_is_published_before_it_signs(authctl: Authctl) -> None:
    outcome = authctl("keys", "rotate")

    assert (outcome.code, outcome.out) == (0, "made the next key; it signs in 600 s\n")
    assert sorted(phase for _, phase in listed(authctl)) == ["published", "signing"]


def test_the_next_key_signs_now_if_it_must(authctl: Authctl) -> None:
    ((first, _),) = listed(authctl)

    outcome = authctl("keys", "rotate", "--now")

    assert (outcome.code, outcome.out) == (0, "made the next key; it signs now\n")
    phases = dict(listed(authctl))
    assert phases.pop(first) == "retired"
    assert list(phases.values()) == ["signing"]


def test_what_signing_at_once_risks_is_said(authctl: Authctl) -> None:
    assert "first tokens are refused" in re.sub(
        r"[\s│]+", " ", authctl("keys", "rotate", "--help").out
    )


def test_the_only_key_is_withdrawn_for_another_and_its_tokens_die(authctl: Authctl) -> None:
    token = authctl("token", "issue", "ana").out.strip()
    ((first, _),) = listed(authctl)

    outcome = authctl("keys", "withdraw", first)

    ((second, phase),) = listed(authctl)
    assert phase == "signing"
    assert outcome.code == 0
    assert outcome.out == f"{first} is withdrawn, and its tokens with it; {second} signs\n"
    verdict = authctl("token", "verify", token)
    assert (verdict.code, verdict.err) == (1, "not valid: unknown key\n")
    assert authctl("token", "verify", authctl("token", "issue", "ana").out.strip()).code == 0


@pytest.mark.parametrize("kid", ["nosuch", "' OR 1=1 --", "../k", "é", "x" * 300])
def test_a_key_that_is_not_there_is_not_withdrawn(authctl: Authctl, kid: str) -> None:
    before = listed(authctl)

    outcome = authctl("keys", "withdraw", kid)

    assert outcome.code == 2
    assert outcome.err == "authctl: no such key; `authctl keys list` shows them\n"
    assert listed(authctl) == before


def test_sealed_keys_need_their_secret_and_never_show_it(
    authctl: Authctl, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "canary-" * 5
    monkeypatch.setenv("AUTH_KEY_SECRET", canary)
    sealed = authctl("keys", "list")
    monkeypatch.setenv("AUTH_KEY_SECRET", "another-" * 5)
    wrong = authctl("keys", "list")
    monkeypatch.delenv("AUTH_KEY_SECRET")
    missing = authctl("token", "issue", "ana")

    assert (sealed.code, "encrypted" in sealed.out) == (0, True)
    assert (wrong.code, missing.code) == (2, 2)
    assert "AUTH_KEY_SECRET: it does not open" in wrong.err
    assert "AUTH_KEY_SECRET: the signing keys in the database are encrypted" in missing.err
    assert not any("canary" in text for each in (sealed, wrong, missing) for text in each[1:])
