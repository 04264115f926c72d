"""`authctl` as an administrator uses it: on the database, and on a running server by its token."""

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from authsvc.cli import main
from tests.integration.authsvc.admin_world import World
from tests.integration.authsvc.world_in_thread import world_in_thread


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        return [msgspec.json.decode(line) for line in self.out.splitlines()]


Authctl = Callable[..., Outcome]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_in_thread(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def authctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Authctl:
    monkeypatch.setenv("AUTH_DATABASE_URL", f"sqlite+aiosqlite:///{tmp_path}/auth.db")

    def run(*arguments: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr(sys, "argv", ["authctl", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        assert "Traceback" not in written.err
        # The log of the server in this process is on standard output too.
        out = "".join(line for line in written.out.splitlines(True) if "service=auth" not in line)
        return Outcome(int(ended.value.code or 0), out, written.err)

    return run


@pytest.fixture
def remote(
    authctl: Authctl, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Authctl:
    """As the organization's admin; nothing here may touch the database."""
    monkeypatch.setenv("AUTH_DATABASE_URL", "sqlite+aiosqlite:////nonexistent/auth.db")
    token = tmp_path / "token"
    token.write_text(world.tokens["admin"] + "\n")

    def run(*arguments: str, stdin: str = "") -> Outcome:
        return authctl("--url", world.url, "--token-file", str(token), *arguments, stdin=stdin)

    return run


def test_what_is_shown_can_be_put_again_and_the_change_is_the_operators(authctl: Authctl) -> None:
    authctl("demo")
    shown = authctl("users", "show", "ana")
    changed = shown.lines[0] | {"status": "inactive"}

    put = authctl("users", "put", "-", stdin=msgspec.json.encode(changed).decode())
    audit = authctl("audit", "--format", "jsonl", "--action", "user.change")

    assert put.lines == [changed]
    [row] = audit.lines
    assert (row["actor_kind"], row["target"], row["after"]) == (
        "operator",
        "user:ana",
        {"status": "inactive"},
    )


def test_lists_go_on_beyond_a_page(authctl: Authctl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authsvc.cli.administration.PAGE_SIZE", 2)
    authctl("demo")

    assert [user["id"] for user in authctl("users", "list").lines] == ["ana", "eva", "luis"]
    assert [user["id"] for user in authctl("users", "list", "--prefix", "E").lines] == ["eva"]
    of_other = authctl("locals", "list", "--organization", "other", "--status", "active")
    assert [local["id"] for local in of_other.lines] == ["lejano"]
    assert len(authctl("audit").lines) == 13, "12 entities and the first key"


def test_a_server_is_administered_as_its_database(remote: Authctl) -> None:
    shown = remote("locals", "show", "centro")
    put = remote("locals", "put", "-", stdin=shown.out.replace("Centro", "Nuevo"))
    granted = remote("grant", "luis", "norte")
    revoked = remote("revoke", "luis", "norte")

    assert (shown.code, put.lines[0]["name"]) == (0, "Nuevo")
    assert (granted.out, revoked.out) == (
        "luis may enter norte\n",
        "luis may not enter norte\n",
    )
    assert {user["id"] for user in remote("users", "list").lines} == {"ana", "luis", "sam"}
    assert [row["action"] for row in remote("audit", "--actor", "ana").lines] == [
        "assignment.remove",
        "assignment.add",
        "local.change",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("users", "show", "eva"), "no such user (404)"),
        (("users", "show", "../audit"), "no such user (404)"),
        (("grant", "luis", "puerto"), "does not exist in the organization (404)"),
        (("roles", "list", "--status", "active"), "unknown field"),
        (("import", "-"), "import works on the database"),
        (("token", "issue", "ana"), "token works on the database"),
        (("admin", "create", "x@y"), "admin works on the database"),
    ],
)
def test_what_a_server_refuses_is_one_line(
    remote: Authctl, arguments: tuple[str, ...], reason: str
) -> None:
    outcome = remote(*arguments)

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert reason in outcome.err


@pytest.mark.parametrize(
    ("url", "token", "reason"),
    [
        ("http://auth.example.org", "t", "must be https"),
        ("ftp://127.0.0.1", "t", "must look like"),
        ("nonsense", "t", "must look like"),
        ("http://127.0.0.1:1", "t", "cannot ask http://127.0.0.1:1"),
        ("http://127.0.0.1:1", "", "an admin's token is needed"),
    ],
)
def test_a_server_that_cannot_be_asked_is_one_line_without_the_token(
    authctl: Authctl, monkeypatch: pytest.MonkeyPatch, url: str, token: str, reason: str
) -> None:
    monkeypatch.setenv("AUTHCTL_URL", url)
    monkeypatch.setenv("AUTHCTL_TOKEN", token and f"canary-{token}")

    outcome = authctl("users", "list")

    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert reason in outcome.err
    assert "canary" not in outcome.err


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "-:2: not a JSON object with an id"),
        ("[]", "-:2: not a JSON object with an id"),
        ("{}", "-:2: not a JSON object with an id"),
        ('{"id":1}', "-:2: the id is no text"),
        ('{"id":"x","name":"N"}', "-:2: Object missing required field `status` (400)"),
        ('{"id":"x","name":"N","more":1}', "-:2: Object contains unknown field `more` (400)"),
        ('{"id":"","name":"N","status":"active"}', "-:2: "),
    ],
)
def test_a_bad_line_is_named_and_those_before_it_are_kept(
    authctl: Authctl, line: str, reason: str
) -> None:
    authctl("demo")

    good = '{"id":"new","name":"N","status":"active"}'
    outcome = authctl("organizations", "put", "-", stdin=f"{good}\n{line}\n")

    assert outcome.code == 2
    assert reason in outcome.err
    assert authctl("organizations", "show", "new").code == 0


def test_a_platform_admin_is_made_of_a_user_or_from_nothing_as_often_as_one_likes(
    authctl: Authctl,
) -> None:
    fresh = [authctl("admin", "create", "root@acme.test") for _ in range(2)]
    organization = '{"kind":"organization","id":"o","name":"O"}\n'
    user = '{"kind":"user","id":"u","organization_id":"o","email":"u@o","status":"inactive"}\n'
    authctl("import", "-", stdin=organization + user)
    known = authctl("admin", "create", "u")
    nobody = authctl("admin", "create", "nobody")

    assert [outcome.code for outcome in fresh] == [0, 0]
    assert "root@acme.test of organization platform is a platform admin" in fresh[0].out
    passwords = [re.search(r"password: (\S{24}) ", outcome.out) for outcome in fresh]
    assert passwords[0] is not None
    assert passwords[1] is None, "who is there already keeps their password"
    assert known.out.startswith("u of organization o is a platform admin\n")
    assert (nobody.code, "a new one needs an email" in nobody.err) == (2, True)
    token = authctl("token", "issue", "u").out.strip()
    assert "platform:admin" in authctl("token", "verify", token).out


def test_no_role_that_others_may_hold_becomes_a_platform_admins(authctl: Authctl) -> None:
    authctl("demo")
    role = {"id": "demo:platform-admin", "organization_id": "demo", "name": "mine"}
    authctl("roles", "put", "-", stdin=msgspec.json.encode(role).decode())

    outcome = authctl("admin", "create", "ana")

    assert outcome.code == 2
    assert "role 'demo:platform-admin' exists" in outcome.err
    assert authctl("roles", "show", "demo:platform-admin").lines[0]["permissions"] == []


def test_the_last_platform_admin_stays_one_whatever_is_imported(authctl: Authctl) -> None:
    authctl("admin", "create", "root@acme.test")
    line = '{"kind":"user","id":"root@acme.test","organization_id":"platform","email":"r@a"}'

    outcome = authctl("import", "-", stdin=line)

    assert outcome.code == 2
    assert outcome.err == "authctl: that would leave nobody with platform:admin\n"


def test_a_reader_of_the_log_that_has_gone_is_no_error(authctl: Authctl) -> None:
    authctl("demo")
    script = f"{sys.executable} -m authsvc.cli audit | true"

    ended = subprocess.run(["sh", "-c", script], check=True, capture_output=True, timeout=30)

    assert ended.stderr == b""
