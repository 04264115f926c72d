"""Everything in the store, as lines that can be imported again."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from authsvc.store import Store
from authsvc.transfer.lines import format_line

__all__ = ["export_lines"]


async def export_lines(store: Store) -> AsyncGenerator[bytes]:
    """One line an entity, each with its newline, as of one moment. Equal data, equal bytes.

    Raises Unavailable. Close it when you leave it early: use `contextlib.aclosing`.
    """
    async with aclosing(store.export()) as entities:
        async for entity in entities:
            yield format_line(entity) + b"\n"
