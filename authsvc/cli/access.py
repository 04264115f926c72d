"""`authctl grant`, `revoke` and `explain`: who may enter which local."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.admin_api import remote_of
from authsvc.cli.administration import assign
from authsvc.cli.session import run
from authsvc.model import LocalQuery
from authsvc.service import Explanation

__all__ = ["grant", "revoke", "explain"]

User = Annotated[str, typer.Argument(help="A user's id.")]
Local = Annotated[str, typer.Argument(help="A local's id.")]
Organization = Annotated[str, typer.Argument(help="An organization's id.")]


def grant(context: typer.Context, user: User, local: Local) -> None:
    """Let a user enter a local of their organization."""
    if remote_of(context) is not None:
        assign(context, "PUT", user, local)
        print(f"{user} may enter {local}")
        return

    async def work(backend: Backend) -> bool:
        return await backend.store.grant(user, local, by=OPERATOR)

    print(f"{user} may enter {local}" + ("" if run(work) else " already"))


def revoke(context: typer.Context, user: User, local: Local) -> None:
    """Let a user enter a local no more."""
    if remote_of(context) is not None:
        assign(context, "DELETE", user, local)
        print(f"{user} may not enter {local}")
        return

    async def work(backend: Backend) -> bool:
        return await backend.store.revoke(user, local, by=OPERATOR)

    print(f"{user} may not enter {local}" + (" any more" if run(work) else ", nor could before"))


def explain(user: User, organization: Organization, local: Local) -> None:
    """Show each condition of a decision. Exit code 1 when it is a no."""
    query = LocalQuery(user_id=user, organization_id=organization, local_id=local)

    async def work(backend: Backend) -> Explanation:
        return await backend.service.explain(query)

    explanation = run(work)
    verdict = explanation.verdict
    table = Table("condition", "holds", title=verdict.reason)
    for finding in explanation.findings:
        table.add_row(finding.condition, "yes" if finding.holds else f"no: {finding.reason}")
    Console().print(table)
    if not verdict.is_valid:
        raise typer.Exit(1)
