"""`authctl password set`."""

import sys
from typing import Annotated

import typer

from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.session import run
from svckit.errors import InvalidRequest

__all__ = ["app"]

app = typer.Typer(help="Let users log in.", no_args_is_help=True)


@app.callback()
def password() -> None:
    """A group of one command keeps its name by having this."""


@app.command("set")
def set_password(user: Annotated[str, typer.Argument(help="A user's id.")]) -> None:
    """Set a user's password, asked for or read from standard input, and end their sessions."""
    text = _read()

    async def work(backend: Backend) -> None:
        await backend.sessions.set_password(user, text, by=OPERATOR)

    run(work)
    print(f"{user} has a new password, and no session any more")


def _read() -> str:
    # Never an argument: those are there for all to see, and stay in the shell's history.
    if sys.stdin.isatty():
        return str(typer.prompt("New password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline()
    if not line:
        raise InvalidRequest("there is no password on standard input")
    return line.rstrip("\r\n")
