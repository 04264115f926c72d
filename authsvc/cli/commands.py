"""The commands of `authctl`, and what their failures look like."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from authsvc.cli import (
    access,
    administration,
    admins,
    bulk,
    keys,
    passwords,
    sessions,
    tokens,
)
from authsvc.cli.admin_api import Remote
from svckit.errors import ServiceError
from svckit.service import StartError

__all__ = ["main"]

# The others need what no server gives away.
REMOTE = {*administration.NOUNS, "grant", "revoke", "audit"}

app = typer.Typer(
    name="authctl",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("import")(bulk.import_file)
app.command("export")(bulk.export_file)
app.command("demo")(bulk.demo)
app.command("migrate")(bulk.migrate_database)
app.command("grant")(access.grant)
app.command("revoke")(access.revoke)
app.command("explain")(access.explain)
app.command("audit")(administration.audit)
app.add_typer(tokens.app, name="token")
app.add_typer(keys.app, name="keys")
app.add_typer(passwords.app, name="password")
app.add_typer(sessions.app, name="sessions")
app.add_typer(admins.app, name="admin")
for noun in administration.NOUNS:
    app.add_typer(administration.noun_commands(noun), name=noun)


@app.callback()
def choose(
    context: typer.Context,
    url: Annotated[
        str, typer.Option(envvar="AUTHCTL_URL", help="A running Auth, instead of the database.")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option(help="Holds an admin's token; else AUTHCTL_TOKEN does.")
    ] = None,
) -> None:
    """Works on the database that AUTH_DATABASE_URL names (default: var/auth.db).

    With --url: on a running server, for list, show, put, grant, revoke and audit.
    """
    if not url:
        return
    if context.invoked_subcommand not in REMOTE:
        raise StartError(f"{context.invoked_subcommand} works on the database, not on a server")
    context.obj = Remote(url=url, token=_token(token_file))


def _token(file: Path | None) -> str:
    try:
        token = os.environ.get("AUTHCTL_TOKEN", "") if file is None else file.read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise StartError(f"cannot read the token in {file}") from exc
    if not token.strip():
        raise StartError("an admin's token is needed: --token-file or AUTHCTL_TOKEN")
    return token.strip()


def main() -> None:
    """Exit codes: 0 done, 1 the answer is no, 2 it could not be done."""
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except (StartError, ServiceError) as exc:
        _fail(str(exc))
    except OSError as exc:
        # What could not be written is thrown away, or Python would try it again at its exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _fail(f"cannot write standard output: {exc.strerror}")


def _fail(reason: str) -> NoReturn:
    print(f"authctl: {reason}", file=sys.stderr)
    sys.exit(2)
