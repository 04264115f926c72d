"""Who and what there is in the simulated database, and how it changes: a few of each, often."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from authsvc.access import LocalRecord, OrganizationRecord, UserRecord
from tests.simulation.database import Database
from tests.simulation.truth import Row, State

__all__ = [
    "ORGANIZATIONS",
    "USERS",
    "ROWS",
    "first_state",
    "random_row",
    "keep_writing",
    "revoke_much",
]

ORGANIZATIONS = ("o0", "o1")
USERS = tuple(f"{organization}-u{n}" for organization in ORGANIZATIONS for n in range(3))
LOCALS = tuple(f"{organization}-l{n}" for organization in ORGANIZATIONS for n in range(3))
ROWS = tuple(
    (user_id, user_id.partition("-")[0], local_id)
    for user_id in USERS
    for local_id in LOCALS
    if local_id.partition("-")[0] == user_id.partition("-")[0]
)
PERMISSIONS = ("catalog:create", "catalog:edit", "catalog:read")


def first_state(rng: Random) -> State:
    """Revisions do not begin at 0: this database has been in use for a while."""
    return State(
        revision=rng.randint(1, 50),
        organizations={o: OrganizationRecord(is_active=True) for o in ORGANIZATIONS},
        locals={
            local_id: LocalRecord(organization_id=_of(local_id), name=local_id, is_active=True)
            for local_id in LOCALS
        },
        users={
            user_id: UserRecord(
                organization_id=_of(user_id),
                is_active=True,
                locals=frozenset(local for local in LOCALS if _of(local) == _of(user_id)),
                permissions=PERMISSIONS,
            )
            # One that is yet to come.
            for user_id in USERS[:-1]
        },
    )


def random_row(rng: Random) -> Row:
    """Mostly about few users and locals; now and then a nonsensical one."""
    user_id = USERS[min(rng.randrange(len(USERS)), rng.randrange(len(USERS)))]
    mine = [local for local in LOCALS if _of(local) == _of(user_id)]
    if rng.random() < 0.9:
        return user_id, _of(user_id), mine[min(rng.randrange(3), rng.randrange(3))]
    return user_id, rng.choice((*ORGANIZATIONS, "nowhere")), rng.choice((*LOCALS, "nothing"))


async def keep_writing(
    database: Database, rng: Random, counts: Counter[str], *, every_s: float
) -> None:
    while True:
        await asyncio.sleep(rng.expovariate(1 / every_s))
        if not (database.is_down or database.is_read_only):
            write_something(database, rng, counts)


def write_something(database: Database, rng: Random, counts: Counter[str]) -> None:
    write = rng.choices(
        (_assign, _turn_user, _turn_organization, _turn_local, _set_permissions, _rename),
        weights=(12, 3, 2, 2, 2, 1),
    )[0]
    counts["writes"] += 1
    write(database, rng)


def revoke_much(database: Database, rng: Random) -> None:
    """All that one organization's users may, or one of them, at once and for a while."""
    state = database.state
    active = [o for o, record in state.organizations.items() if record.is_active]
    if not active or database.is_down or database.is_read_only:
        return
    organization_id = rng.choice(active)
    if rng.random() < 0.5:
        off = OrganizationRecord(is_active=False)
        database.commit([(organization_id, None, None)], organizations={organization_id: off})
        return
    user_id = rng.choice([user for user in state.users if _of(user) == organization_id])
    left = replace(state.users[user_id], locals=frozenset())
    database.commit([(organization_id, user_id, None)], users={user_id: left})


def _assign(database: Database, rng: Random) -> None:
    """A grant where there was none, else a revoke."""
    user_id, _, local_id = random_row(rng)
    user = database.state.users.get(user_id)
    local = database.state.locals.get(local_id)
    if user is None or local is None or local.organization_id != user.organization_id:
        return
    changed = replace(user, locals=user.locals ^ {local_id})
    database.commit([(user.organization_id, user_id, local_id)], users={user_id: changed})


def _turn_user(database: Database, rng: Random) -> None:
    """Active or inactive; the one that does not exist comes into being."""
    user_id = _one_to_turn(database.state.users, rng)
    if rng.random() < 0.1:
        user_id = USERS[-1]
    user = database.state.users.get(user_id)
    if user is None:
        user = replace(database.state.users[USERS[-2]], is_active=False)
    changed = replace(user, is_active=not user.is_active)
    database.commit([(user.organization_id, user_id, None)], users={user_id: changed})


def _turn_organization(database: Database, rng: Random) -> None:
    organization_id = _one_to_turn(database.state.organizations, rng)
    is_active = not database.state.organizations[organization_id].is_active
    changed = OrganizationRecord(is_active=is_active)
    database.commit([(organization_id, None, None)], organizations={organization_id: changed})


def _turn_local(database: Database, rng: Random) -> None:
    local_id = _one_to_turn(database.state.locals, rng)
    local = database.state.locals[local_id]
    changed = replace(local, is_active=not local.is_active)
    database.commit([(local.organization_id, None, local_id)], local_records={local_id: changed})


def _one_to_turn(
    records: Mapping[str, UserRecord]
    | Mapping[str, OrganizationRecord]
    | Mapping[str, LocalRecord],
    rng: Random,
) -> str:
    """Rather one that is inactive: where nobody is let in there is no stale yes to find."""
    inactive = [record_id for record_id, record in records.items() if not record.is_active]
    return rng.choice(inactive if inactive and rng.random() < 0.8 else list(records))


def _rename(database: Database, rng: Random) -> None:
    local_id = rng.choice(LOCALS)
    local = database.state.locals[local_id]
    changed = replace(local, name=f"{local_id}-{database.state.revision}")
    database.commit([(local.organization_id, None, local_id)], local_records={local_id: changed})


def _set_permissions(database: Database, rng: Random) -> None:
    """A role of everybody's in the organization changes; so it is announced as all of it."""
    organization_id = rng.choice(ORGANIZATIONS)
    permissions = tuple(p for p in PERMISSIONS if rng.random() < 0.5)
    changed = {
        user_id: replace(user, permissions=permissions)
        for user_id, user in database.state.users.items()
        if user.organization_id == organization_id
    }
    database.commit([(organization_id, None, None)], users=changed)


def _of(record_id: str) -> str:
    return record_id.partition("-")[0]
