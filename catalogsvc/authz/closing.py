"""Closes several things, none of which may keep the others open."""

import asyncio
from collections.abc import Coroutine

__all__ = ["close_all"]


async def close_all(*closes: Coroutine[None, None, None]) -> None:
    """All at once, so that one that hangs keeps none waiting. The caller has to bound it.

    Raises the first error when each has ended.
    """
    outcomes = await asyncio.gather(*closes, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
