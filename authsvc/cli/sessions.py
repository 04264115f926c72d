"""`authctl sessions list` and `sessions end`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.session import run
from authsvc.session_rules import Session

__all__ = ["app"]

app = typer.Typer(help="See and end the sessions of a user.", no_args_is_help=True)

User = Annotated[str, typer.Argument(help="A user's id.")]


@app.command("list")
def list_sessions(user: User) -> None:
    """Print a user's sessions, newest first: id, start, last refresh, end."""

    async def work(backend: Backend) -> tuple[Session, ...]:
        return await backend.sessions.of_user(user)

    for session in run(work):
        times = (session.created_at, session.refreshed_at, session.expires_at)
        print(session.id, *(datetime.fromtimestamp(at, UTC).isoformat() for at in times))


@app.command("end")
def end(
    user: User,
    session: Annotated[str | None, typer.Argument(help="A session's id; without: all.")] = None,
) -> None:
    """End one session of a user, or all of them."""

    async def work(backend: Backend) -> int:
        if session is None:
            return await backend.sessions.end_all(user, by=OPERATOR)
        await backend.sessions.end(user, session, by=OPERATOR, reason="ended")
        return 1

    count = run(work)
    print(f"ended {count} session{'' if count == 1 else 's'} of {user}")
