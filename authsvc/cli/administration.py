"""`authctl organizations|locals|roles|users list|show|put` and `authctl audit`."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec
import typer

from authsvc.cli.admin_api import Ask, ask_in
from authsvc.cli.bulk import source_of
from authsvc.model import Status
from svckit.service import StartError

__all__ = ["NOUNS", "noun_commands", "audit", "assign"]

# Each is a path of the administration too.
NOUNS = ("organizations", "locals", "roles", "users")
PAGE_SIZE = 500

Organization = Annotated[str, typer.Option(help="Only of this organization.")]


class Format(StrEnum):
    JSONL = "jsonl"


def noun_commands(noun: str) -> typer.Typer:
    app = typer.Typer(help=f"List, show and put {noun}.", no_args_is_help=True)

    @app.command("list")
    def list_(
        context: typer.Context,
        organization: Organization = "",
        status: Annotated[Status | None, typer.Option(help="Roles have none.")] = None,
        prefix: Annotated[str, typer.Option(help="How the name, or a user's email, begins.")] = "",
    ) -> None:
        """Print one JSON object a line."""
        wanted = {"organization_id": organization, "status": status, "prefix": prefix}
        ask_in(context, lambda ask: _print_all(ask, f"/{noun}", wanted))

    @app.command("show")
    def show(context: typer.Context, id_: Annotated[str, typer.Argument(metavar="ID")]) -> None:
        """Print one as a JSON object."""
        print(_line(ask_in(context, lambda ask: ask("GET", f"/{noun}/{_part(id_)}", None))))

    @app.command("put")
    def put(
        context: typer.Context,
        file: Annotated[Path, typer.Argument(help="JSON objects, one a line, as `list` prints.")],
    ) -> None:
        """Make or replace each that stands in FILE (- for standard input); stop at a bad one."""
        ask_in(context, lambda ask: _put_all(ask, noun, file))

    return app


def audit(
    context: typer.Context,
    organization: Organization = "",
    actor: Annotated[str, typer.Option(help="Only by this user or service.")] = "",
    action: Annotated[str, typer.Option(help="Such as user.change.")] = "",
    since: Annotated[int | None, typer.Option(help="In seconds since 1970.")] = None,
    until: Annotated[int | None, typer.Option(help="In seconds since 1970, not within.")] = None,
    format_: Annotated[Format, typer.Option("--format")] = Format.JSONL,
) -> None:
    """Print the audit log, newest first, one JSON object a line."""
    assert format_ is Format.JSONL
    wanted = {
        "organization_id": organization,
        "actor": actor,
        "action": action,
        "since": since,
        "until": until,
    }
    ask_in(context, lambda ask: _print_all(ask, "/audit", wanted))


def assign(context: typer.Context, method: str, user: str, local: str) -> None:
    """PUT or DELETE an assignment."""
    target = f"/users/{_part(user)}/locals/{_part(local)}"
    ask_in(context, lambda ask: ask(method, target, None))


async def _print_all(ask: Ask, path: str, wanted: Mapping[str, object]) -> None:
    async with aclosing(_items(ask, path, wanted)) as items:
        async for item in items:
            print(_line(item))


async def _items(ask: Ask, path: str, wanted: Mapping[str, object]) -> AsyncGenerator[Any]:
    """A page at a time: the list may be longer than memory."""
    given = {name: value for name, value in wanted.items() if value not in ("", None)}
    token = ""
    while True:
        query = urlencode({**given, "page_size": PAGE_SIZE, "page_token": token})
        page = await ask("GET", f"{path}?{query}", None)
        for item in page["items"]:
            yield item
        token = page["next_page_token"]
        if not token:
            return


async def _put_all(ask: Ask, noun: str, file: Path) -> None:
    try:
        with source_of(file) as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    await _put(ask, noun, line, place=f"{file}:{number}")
    except OSError as exc:
        raise StartError(f"cannot read {file}: {exc.strerror}") from exc


async def _put(ask: Ask, noun: str, line: bytes, *, place: str) -> None:
    try:
        entity = msgspec.json.decode(line, type=dict[str, Any])
        id_ = entity.pop("id")
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError) as exc:
        raise StartError(f"{place}: not a JSON object with an id") from exc
    if not isinstance(id_, str):
        raise StartError(f"{place}: the id is no text")
    try:
        print(_line(await ask("PUT", f"/{noun}/{_part(id_)}", entity)))
    except StartError as exc:
        raise StartError(f"{place}: {exc}") from exc


def _part(id_: str) -> str:
    return quote(id_, safe="")


def _line(value: object) -> str:
    return msgspec.json.encode(value).decode()
