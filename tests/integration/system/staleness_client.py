"""A client in a process of its own, which a test stops and resumes: `python -m ... HOST:PORT`.

It asks without end, and prints when it asked and what it heard; every time it is a yes, else when
it changes.
"""

import asyncio
import sys

import uvloop

from svckit.address import Address
from tests.integration.system.staleness import client_of, poll

__all__ = ["main"]


async def ask_for_ever(target: Address) -> None:
    heard = ""  # the last it printed
    async with client_of(target) as client:
        while True:
            polled = await poll(client)
            decision = polled.decision
            was, heard = (
                heard,
                f"{decision.reason} {decision.source}" if decision is not None else "UNKNOWN",
            )
            if decision or was != heard:
                sys.stdout.write(f"{polled.called_at:.6f} {heard}\n")
                sys.stdout.flush()
            await asyncio.sleep(0.001)


def main() -> None:
    uvloop.run(ask_for_ever(Address.parse(sys.argv[1])))


if __name__ == "__main__":
    main()
