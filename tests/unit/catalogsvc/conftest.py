"""Catalog's REST app over a real SQLite store, with a doorman that the test tells what to say."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.types import ASGIApp

from catalogsvc.authz import Reason
from catalogsvc.entrance import Entrance, Permission, telling_source
from catalogsvc.migrations import MIGRATIONS
from catalogsvc.rest_api import CatalogRest
from catalogsvc.service import CatalogService
from catalogsvc.store import ProductStore
from svckit.database import open_database
from svckit.migrations import migrate
from svckit.rest import rest_app
from tests.asgi import HttpAnswer, ask
from tests.unit.catalogsvc.doorman import FakeDoorman

__all__ = ["Catalog", "Clock"]

TIMEOUT_S = 5.0


@dataclass(slots=True)
class Clock:
    """By which the entrance sees what had to wait; it stands still until a test moves it."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass(slots=True, kw_only=True)
class Catalog:
    """The app under test. `bugs` are the unexpected errors that it reported."""

    app: ASGIApp
    doorman: FakeDoorman
    store: ProductStore
    clock: Clock
    bugs: list[BaseException]

    async def ask(
        self, method: str, path: str, *, by: str = "luis", body: object = None, raw: bytes = b""
    ) -> HttpAnswer:
        """`path` is what follows /api/v1/locals/. Nobody (`by=""`) sends no token."""
        headers = {"content-type": "application/json"}
        if by:
            headers["authorization"] = f"Bearer {by}"
        chunk = raw if body is None else msgspec.json.encode(body)
        return await ask(self.app, method, f"/api/v1/locals/{path}", headers=headers, body=[chunk])

    async def add(self, local_id: str = "centro", **values: Any) -> dict[str, Any]:
        """Adds a product as Luis; the answer's body."""
        body = {"name": "Espresso", "sku": "C-001", "price_minor": 150, "currency": "EUR", **values}
        answer = await self.ask("POST", f"{local_id}/products", body=body)
        assert answer.status == 201, answer.body
        product: dict[str, Any] = answer.json()
        return product


@pytest.fixture
async def open_catalog(tmp_path: Path) -> AsyncIterator[Callable[..., Catalog]]:
    """Makes the app; `timeout_s` is the time of a call.

    Luis, of the organization demo, may do everything at Centro; Ana may only read there; Eva, of
    the organization other, may do everything at a local of hers that is called Centro too.
    """
    url = f"sqlite+aiosqlite:///{tmp_path}/catalog.db"
    await migrate(url, MIGRATIONS)
    engine = open_database(url)

    def make(*, timeout_s: float = TIMEOUT_S) -> Catalog:
        doorman, store, bugs = _doorman(), ProductStore(engine), list[BaseException]()
        clock = Clock()
        ids = count(1)
        service = CatalogService(store, new_id=lambda: f"id-{next(ids):03}")
        rest = CatalogRest(service, Entrance(doorman, timeout_s=timeout_s, clock=clock))

        def report_bug(error: BaseException) -> str:
            bugs.append(error)
            return f"bug-{len(bugs)}"

        app = rest_app(rest.endpoints(), report_bug=report_bug, timeout_s=timeout_s)
        return Catalog(
            app=telling_source(app), doorman=doorman, store=store, clock=clock, bugs=bugs
        )

    yield make
    await engine.dispose()


@pytest.fixture
def catalog(open_catalog: Callable[..., Catalog]) -> Catalog:
    return open_catalog()


def _doorman() -> FakeDoorman:
    doorman = FakeDoorman()
    everything = set(Permission)
    doorman.knows("luis", organization_id="demo", permissions=everything)
    doorman.knows("ana", organization_id="demo", permissions={Permission.READ})
    doorman.knows("eva", organization_id="other", permissions=everything)
    for token in ("luis", "ana", "eva"):
        doorman.decides(token, "centro", Reason.ALLOWED)
    return doorman
