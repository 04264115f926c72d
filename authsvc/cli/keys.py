"""`authctl keys`: the keys that sign tokens, and how they are replaced and withdrawn."""

import math
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from authsvc.backend import Backend
from authsvc.cli.session import run
from authsvc.key_schedule import KeyRules, Phase, phase_of, withdrawn_at
from authsvc.key_sealing import is_sealed
from authsvc.store import StoredKey

__all__ = ["app"]

app = typer.Typer(help="List, replace and withdraw signing keys.", no_args_is_help=True)


@app.command("list")
def list_keys() -> None:
    """Show every key that verifies, and what it is for."""

    async def work(backend: Backend) -> tuple[Sequence[StoredKey], KeyRules]:
        return await backend.store.signing_keys(), backend.rotation.rules

    keys, rules = run(work)
    now = time.time()
    table = Table("key", "algorithm", "phase", "signs from", "withdrawn", "at rest")
    for key in keys:
        table.add_row(
            key.kid,
            key.algorithm,
            phase_of(key, keys, now),
            _told(key.signs_from),
            _told(withdrawn_at(key, keys, rules)),
            "encrypted" if is_sealed(key.private_key) else "plain",
        )
    Console().print(table)


@app.command("rotate")
def rotate(
    *,
    now: Annotated[
        bool,
        typer.Option(
            "--now",
            help="Sign with it at once. Its first tokens are refused by an Auth process that has "
            "not looked for a second, and elsewhere for as long as a fetched key set is kept.",
        ),
    ] = False,
) -> None:
    """Make the next key. It signs when everyone had the time to hear of it."""

    async def work(backend: Backend) -> int:
        wait_s = 0 if now else backend.rotation.rules.publish_s
        await backend.rotation.rotate(wait_s=wait_s)
        return wait_s

    print(f"made the next key; it signs {f'in {wait_s} s' if (wait_s := run(work)) else 'now'}")


@app.command("withdraw")
def withdraw(
    kid: Annotated[str, typer.Argument(help="A key's id, as `authctl keys list` shows it.")],
) -> None:
    """Take a key out of use at once: all of its tokens die. For a key that others may have."""

    async def work(backend: Backend) -> str:
        await backend.rotation.withdraw(kid)
        keys, now = await backend.store.signing_keys(), time.time()
        return next(key.kid for key in keys if phase_of(key, keys, now) is Phase.SIGNING)

    print(f"{kid} is withdrawn, and its tokens with it; {run(work)} signs")


def _told(at: float) -> str:
    return "-" if at == math.inf else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
