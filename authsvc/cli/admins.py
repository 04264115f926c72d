"""`authctl admin create`: the first platform admin, whom no other could make."""

from typing import Annotated

import typer

from authsvc.audit import OPERATOR
from authsvc.bootstrap import make_admin
from authsvc.cli.session import run_on_any

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
    made = run_on_any(
        lambda backend: make_admin(backend, user, organization_id=organization, by=OPERATOR)
    )
    admin = made.user
    print(f"{admin.id} of organization {admin.organization_id} is a platform admin")
    if made.password is None:
        print(f"authctl password set {admin.id}   # unless there is one already")
    else:
        print(f"password: {made.password}   # shown this once; change it after the first login")
