"""The commands of `authctl`, and what their failures look like."""

import sys

import typer

from authsvc.cli import access, bulk, tokens
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


def main() -> None:
    """Exit codes: 0 done, 1 the answer is no, 2 it could not be done."""
    try:
        app()
    except (StartError, ServiceError) as exc:
        print(f"authctl: {exc}", file=sys.stderr)
        sys.exit(2)
