"""Runs the story, prints it as one table, and exits 1 when a line of it is not true."""

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.demo.stage import Reply, Stage, open_stage

__all__ = ["Line", "tell", "main"]

MAX_STALENESS_S = 2.0  # the promise, and the default of CATALOG_AUTH_MAX_STALENESS_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the story: what happened, what must come of it, what came."""

    event: str
    expected: str
    reply: Reply
    is_true: bool

    @property
    def got(self) -> str:
        parts = [str(self.reply.status), self.reply.source, self.reply.detail]
        if self.reply.retry_after:
            parts.append(f"(Retry-After {self.reply.retry_after})")
        return " ".join(part for part in parts if part)


async def tell(stage: Stage) -> AsyncIterator[Line]:
    for act in (_the_door, _revocation, _outage):
        async for line in act(stage):
            yield line


async def _the_door(stage: Stage) -> AsyncIterator[Line]:
    reply = await stage.list_products("ana", "centro")
    yield _line("Ana, cashier at Centro, lists its products", reply, 200, source="GRPC")
    reply = await stage.list_products("ana", "centro")
    yield _line("she lists them again", reply, 200, source="CACHE")
    reply = await stage.list_products("ana", "norte")
    yield _line("she tries another store, Norte", reply, 403, detail="NOT_ASSIGNED")


async def _revocation(stage: Stage) -> AsyncIterator[Line]:
    reply = await stage.list_products("luis", "norte")
    yield _line("Luis, manager, lists Norte's products", reply, 200)
    # He goes on asking, so that a yes is in the cache when the access ends.
    async with stage.asking("luis", "norte"):
        await stage.authctl("revoke", "luis", "norte")
    reply = await stage.list_until("luis", "norte", status=403, meanwhile=(200,))
    in_time = reply.took_ms <= MAX_STALENESS_S * 1000
    yield _line(
        "his access is revoked; he is refused", reply, 403, detail="NOT_ASSIGNED", also=in_time
    )


async def _outage(stage: Stage) -> AsyncIterator[Line]:
    await stage.proxy.close()
    reply = await stage.list_until("ana", "centro", status=200, source="REST", meanwhile=(200,))
    yield _line("the gRPC port goes away; answers go on", reply, 200, source="REST")
    await stage.stop_auth()
    reply = await stage.list_products("ana", "centro")
    is_honest = bool(reply.retry_after) and "denied" not in reply.detail.lower()
    yield _line("Auth goes away; nobody is called denied", reply, 503, also=is_honest)
    await stage.start_auth()
    await stage.proxy.open()
    reply = await stage.list_until("ana", "centro", status=200, source="GRPC", meanwhile=(503, 200))
    yield _line("Auth returns", reply, 200, source="GRPC")


def _line(
    event: str, reply: Reply, status: int, *, source: str = "", detail: str = "", also: bool = True
) -> Line:
    is_true = (
        reply.status == status
        and (not source or reply.source == source)
        and (not detail or reply.detail == detail)
        and also
    )
    expected = " ".join(part for part in (str(status), source, detail) if part)
    return Line(event=event, expected=expected, reply=reply, is_true=is_true)


async def main() -> int:
    table = Table(title="Portero: may this user enter this store?")
    for heading in ("what happens", "expected", "the Catalog answers"):
        table.add_column(heading)
    table.add_column("ms", justify="right")
    table.add_column("")
    failures = 0
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="portero-demo-") as folder,
        console.status("telling the story, with real processes"),
    ):
        async with open_stage(Path(folder)) as stage:
            async for line in tell(stage):
                mark = "[green]yes[/]" if line.is_true else "[red]NO[/]"
                took = f"{line.reply.took_ms:.1f}"
                table.add_row(line.event, line.expected, line.got, took, mark)
                failures += not line.is_true
    console.print(table)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
