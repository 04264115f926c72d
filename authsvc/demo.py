"""The demo data, and what to try with it."""

from pathlib import Path

from authsvc.audit import SYSTEM
from authsvc.backend import Backend
from authsvc.bootstrap import make_admin
from authsvc.settings import AuthSettings
from authsvc.transfer import import_lines
from svckit.errors import NotFound

__all__ = ["DEMO_FILE", "load_demo", "make_demo_admin", "commands_to_try"]

DEMO_ADMIN = "admin@demo.test"
DEMO_FILE = Path(__file__).with_name("demo.jsonl")


async def load_demo(backend: Backend) -> bool:
    """Into an empty store only. True when it was loaded."""
    if not await backend.store.is_empty():
        return False
    report = await import_lines(backend.store, DEMO_FILE, by=SYSTEM)
    assert not report.rejected, report.rejected
    return True


async def make_demo_admin(backend: Backend) -> tuple[str, ...]:
    """Lines with the password, which is told this once."""
    made = await make_admin(backend, DEMO_ADMIN, organization_id="demo", by=SYSTEM)
    return (
        "",
        f"Platform admin, told this once: {DEMO_ADMIN} of organization demo, "
        f"password {made.password}",
    )


async def commands_to_try(backend: Backend, settings: AuthSettings, *, url: str) -> tuple[str, ...]:
    """Lines for a terminal: three commands to paste, with a fresh token in the first.

    `url` is where REST listens. Nothing to try where there is no Ana: the data is not the demo's.
    """
    try:
        token = await backend.service.issue_token("ana")
    except NotFound:
        return ("", "The store holds data of its own, so there are no demo commands to try.", "")
    validate = f"{url}/api/v1/locals/norte/validate"
    return (
        "",
        f"Try (the token is Ana's, a cashier at Centro, good for {settings.token_ttl_s} seconds):",
        "",
        f"curl -i -H 'Authorization: Bearer {token}' "
        f"{settings.demo_catalog_url}/api/v1/locals/centro/products",
        "",
        f"curl '{validate}?user_id=ana&organization_id=demo'",
        "",
        ".venv/bin/authctl revoke ana centro   # then the first again: 403 within 2 s",
        "",
    )
