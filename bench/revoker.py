"""Revokes and grants in a process of its own, on Auth's database: a line asked, a line answered.

`revoke USER LOCAL` or `grant USER LOCAL` is answered, once it is committed, by the time on the
clock that all processes of a machine share.
"""

import asyncio
import os
import sys
import time

from authsvc.audit import SYSTEM
from authsvc.store import Store
from svckit.database import open_database

__all__ = ["main"]


async def revoke_as_told(url: str) -> None:
    engine = open_database(url)
    store = Store(engine)
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            verb, user_id, local_id = line.split()
            change = store.revoke if verb == "revoke" else store.grant
            has_changed = await change(user_id, local_id, by=SYSTEM)
            assert has_changed, f"nothing to {verb}"
            print(time.monotonic(), flush=True)
    finally:
        await engine.dispose()


def main() -> None:
    asyncio.run(revoke_as_told(os.environ["AUTH_DATABASE_URL"]))


if __name__ == "__main__":
    main()
