"""The keys that sign tokens, as they are stored. What a key is worth is the tokens' business."""

from collections.abc import Callable, Iterable
from dataclasses import asdict

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.audit import Actor, AuditEntry
from authsvc.store.audit import append
from authsvc.store.schema import signing_keys
from authsvc.store.statements import insert
from authsvc.stored_key import StoredKey

__all__ = ["KeyChange", "all_keys", "change_keys"]

# From the keys that are stored to those that should be. It may raise, and then nothing is changed.
KeyChange = Callable[[tuple[StoredKey, ...]], tuple[StoredKey, ...]]


async def all_keys(connection: AsyncConnection) -> tuple[StoredKey, ...]:
    """Newest first."""
    newest_first = (signing_keys.c.created_at.desc(), signing_keys.c.kid)
    rows = await connection.execute(select(signing_keys).order_by(*newest_first))
    return tuple(StoredKey(**row) for row in rows.mappings())


async def change_keys(
    connection: AsyncConnection,
    change: KeyChange,
    *,
    by: Actor,
    wall_now: float,
    revision: int | None = None,
) -> None:
    """Only for the only writer. Each key that comes or goes is told to the audit log."""
    stored = {key.kid: key for key in await all_keys(connection)}
    wanted = {key.kid: key for key in change(tuple(stored.values()))}
    gone = [key for kid, key in stored.items() if kid not in wanted]
    made = [key for kid, key in wanted.items() if kid not in stored]
    if gone:
        kids = [key.kid for key in gone]
        await connection.execute(delete(signing_keys).where(signing_keys.c.kid.in_(kids)))
    await insert(connection, signing_keys, [asdict(key) for key in made])
    for kid in stored.keys() & wanted.keys():
        if stored[kid] != wanted[kid]:
            await _update(connection, wanted[kid])
    verb = "rotate" if stored else "make"
    entries = [*_entries("withdraw", gone, by), *_entries(verb, made, by)]
    await append(connection, entries, revision=revision, wall_now=wall_now)


async def _update(connection: AsyncConnection, key: StoredKey) -> None:
    values = asdict(key)
    kid = values.pop("kid")
    this = signing_keys.c.kid == bindparam("this", kid)
    await connection.execute(update(signing_keys).where(this).values(values))


def _entries(verb: str, keys: Iterable[StoredKey], by: Actor) -> Iterable[AuditEntry]:
    for key in keys:
        said = {"algorithm": key.algorithm, "signs_from": key.signs_from}
        yield AuditEntry(
            actor=by,
            action=f"key.{verb}",
            organization_id=None,
            target=f"key:{key.kid}",
            before=said if verb == "withdraw" else None,
            after=None if verb == "withdraw" else said,
        )
