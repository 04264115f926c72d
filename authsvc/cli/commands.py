"""The commands of `authctl`, and what their failures look like."""

import os
import sys
from typing import NoReturn

import typer

from authsvc.cli import access, bulk, keys, passwords, sessions, tokens
from svckit.errors import ServiceError
from svckit.service import StartError

__all__ = ["main"]

app = typer.Typer(
    name="authctl",
    help="Works on the database that AUTH_DATABASE_URL names (default: var/auth.db).",
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
app.add_typer(tokens.app, name="token")
app.add_typer(keys.app, name="keys")
app.add_typer(passwords.app, name="password")
app.add_typer(sessions.app, name="sessions")


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
