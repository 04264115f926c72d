"""`authctl token issue` and `token verify`."""

import sys
from typing import Annotated

import typer

from authsvc.backend import Backend
from authsvc.cli.session import run
from authsvc.service import Identity
from authsvc.tokens import BadToken

__all__ = ["app"]

app = typer.Typer(help="Make and judge tokens.", no_args_is_help=True)


@app.command("issue")
def issue(user: Annotated[str, typer.Argument(help="A user's id.")]) -> None:
    """Print a fresh token for a user."""

    async def work(backend: Backend) -> str:
        return await backend.service.issue_token(user)

    print(run(work))


@app.command("verify")
def verify(
    token: Annotated[
        str,
        typer.Argument(
            help="The token, or - to read it from standard input: arguments are seen by the other "
            "users of this machine, and kept in the shell's history."
        ),
    ],
) -> None:
    """Say whom a token speaks for. Exit code 1 when it is worth nothing."""
    text = sys.stdin.readline().strip() if token == "-" else token  # noqa: S105 # not a password

    async def work(backend: Backend) -> Identity:
        return await backend.service.verify_token(text)

    try:
        identity = run(work)
    except BadToken as bad:
        print(f"not valid: {bad.reason}", file=sys.stderr)
        raise typer.Exit(1) from bad
    print(f"user          {identity.user_id}")
    print(f"organization  {identity.organization_id}")
    print(f"permissions   {', '.join(identity.permissions) or '(none)'}")
