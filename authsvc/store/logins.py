"""Accounts as a login finds them: the password's hash, and the failures that were counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from sqlalchemy import ColumnElement, Select, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authsvc.login_limits import FORGOTTEN_AFTER_S, Attempt, Scope, Tally
from authsvc.model import Status
from authsvc.store.schema import login_failures, organizations, passwords, users
from authsvc.store.statements import Values, select_in, upsert

__all__ = [
    "StoredAccount",
    "account_of",
    "account_with_email",
    "put_password",
    "read_tallies",
    "write_tallies",
    "touch_tallies",
    "has_tallies_to_trim",
    "trim_tallies",
]

KNOWN_NETWORKS_MAX = 10
TALLIES_MAX = 100_000

NETWORKS = msgspec.json.Decoder(tuple[str, ...])


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """`known_networks`: keys of the networks from which the password has been right, newest first.

    `is_active` speaks of the organization as well.
    """

    user_id: str
    organization_id: str
    email_folded: str
    is_active: bool
    tokens_valid_from: int
    password_hash: str | None = field(repr=False)
    known_networks: tuple[str, ...]


async def account_of(connection: AsyncConnection, user_id: str) -> StoredAccount | None:
    return await _account(connection, users.c.id == user_id)


async def account_with_email(connection: AsyncConnection, attempt: Attempt) -> StoredAccount | None:
    in_organization = users.c.organization_id == attempt.organization_id
    return await _account(
        connection, and_(in_organization, users.c.email_folded == attempt.email_folded)
    )


async def _account(
    connection: AsyncConnection, condition: ColumnElement[bool]
) -> StoredAccount | None:
    row = (await connection.execute(_accounts().where(condition))).one_or_none()
    if row is None:
        return None
    return StoredAccount(
        user_id=row.id,
        organization_id=row.organization_id,
        email_folded=row.email_folded,
        is_active=row.status == row.organization_status == Status.ACTIVE,
        tokens_valid_from=row.tokens_valid_from,
        password_hash=row.hash,
        known_networks=NETWORKS.decode(row.known_networks or "[]"),
    )


def _accounts() -> Select[tuple[object, ...]]:
    return (
        select(
            users.c.id,
            users.c.organization_id,
            users.c.email_folded,
            users.c.status,
            users.c.tokens_valid_from,
            organizations.c.status.label("organization_status"),
            passwords.c.hash,
            passwords.c.known_networks,
        )
        .join(organizations, organizations.c.id == users.c.organization_id)
        .outerjoin(passwords, passwords.c.user_id == users.c.id)
    )


async def put_password(
    connection: AsyncConnection,
    user_id: str,
    password_hash: str,
    *,
    known_networks: tuple[str, ...],
    wall_now: float,
) -> None:
    known = msgspec.json.encode(known_networks[:KNOWN_NETWORKS_MAX]).decode()
    row: Values = {
        "user_id": user_id,
        "hash": password_hash,
        "changed_at": int(wall_now),
        "known_networks": known,
    }
    await upsert(connection, passwords, [row])


async def read_tallies(
    connection: AsyncConnection, keys: Mapping[Scope, str]
) -> dict[Scope, Tally]:
    columns = (login_failures.c.key, login_failures.c.failures, login_failures.c.counted_at)
    rows = await select_in(connection, columns, login_failures.c.key, set(keys.values()))
    stored = {row.key: Tally(failures=row.failures, counted_at=row.counted_at) for row in rows}
    return {scope: stored.get(key, Tally()) for scope, key in keys.items()}


async def write_tallies(
    connection: AsyncConnection, keys: Mapping[Scope, str], tallies: Mapping[Scope, Tally]
) -> None:
    rows: list[Values] = [
        {"key": keys[scope], "failures": tally.failures, "counted_at": tally.counted_at}
        for scope, tally in tallies.items()
    ]
    await upsert(connection, login_failures, rows)


async def touch_tallies(connection: AsyncConnection, keys: Mapping[Scope, str]) -> None:
    """Writes what is there once more."""
    failures = login_failures.c.failures
    mine = login_failures.c.key.in_(keys.values())
    await connection.execute(update(login_failures).where(mine).values(failures=failures))


async def has_tallies_to_trim(connection: AsyncConnection, *, wall_now: float) -> bool:
    forgotten = await _forgotten(connection, wall_now)
    due = select(login_failures.c.counted_at).where(login_failures.c.counted_at <= forgotten)
    return await connection.scalar(due.limit(1)) is not None


async def trim_tallies(connection: AsyncConnection, *, wall_now: float) -> None:
    """Forgets what does not count any more, and the oldest of more than there may be."""
    forgotten = await _forgotten(connection, wall_now)
    await connection.execute(delete(login_failures).where(login_failures.c.counted_at <= forgotten))


async def _forgotten(connection: AsyncConnection, wall_now: float) -> int:
    """What was counted then or before goes."""
    counted_at = login_failures.c.counted_at
    newest_first = select(counted_at).order_by(counted_at.desc())
    last: int | None = await connection.scalar(newest_first.offset(TALLIES_MAX).limit(1))
    return max(last or 0, int(wall_now) - FORGOTTEN_AFTER_S)
