"""`authctl admin create`: the first platform admin, whom no other could make."""

from dataclasses import replace
from typing import Annotated

import typer

from authsvc.admin_rules import PLATFORM_ADMIN
from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.session import run_on_any
from authsvc.model import Entity, Organization, Role, Status, User
from svckit.service import StartError

__all__ = ["app"]

app = typer.Typer(help="Make platform admins.", no_args_is_help=True)


@app.callback()
def _of_the_database() -> None:
    """Works on the database only."""


@app.command("create")
def create(
    user: Annotated[str, typer.Argument(help="A user's id; of a new one, the email.")],
    organization: Annotated[
        str, typer.Option(help="Of a new user; made when it is not there.")
    ] = "platform",
) -> None:
    """Give a user the permission platform:admin, and make the user first if need be."""
    admin = run_on_any(lambda backend: _create(backend, user, organization))
    print(f"{admin.id} of organization {admin.organization_id} is a platform admin")
    print(f"next: authctl password set {admin.id}   # then log in")
    print(f"or:   authctl token issue {admin.id}    # a token for ten minutes")


async def _create(backend: Backend, user_id: str, organization_id: str) -> User:
    find = backend.administration.find
    found = await find(User, user_id, confined_to=None)
    if not isinstance(found, User):
        if "@" not in user_id:
            raise StartError(f"there is no user {user_id!r}; a new one needs an email")
        found = User(id=user_id, organization_id=organization_id, email=user_id)
    role = Role(
        id=f"{found.organization_id}:platform-admin",
        organization_id=found.organization_id,
        name="platform admin",
        permissions=frozenset({PLATFORM_ADMIN}),
    )
    stored = await find(Role, role.id, confined_to=None)
    if isinstance(stored, Role) and PLATFORM_ADMIN not in stored.permissions:
        # Whoever holds it would become a platform admin with this one.
        raise StartError(f"role {role.id!r} exists and is no platform admin's; look who made it")
    admin = replace(found, status=Status.ACTIVE, roles=found.roles | {role.id})
    entities: list[Entity] = [stored or role, admin]
    if await find(Organization, found.organization_id, confined_to=None) is None:
        entities.append(Organization(id=found.organization_id, name=found.organization_id))
    for rejection in await backend.store.put_each(entities, by=OPERATOR):
        raise rejection.error
    return admin
