"""The first platform admin, made while others write."""

from dataclasses import replace
from pathlib import Path

from authsvc.audit import OPERATOR, SYSTEM
from authsvc.backend import open_backend
from authsvc.bootstrap import make_admin
from authsvc.model import Entity, Local, Organization, Status, User
from authsvc.settings import PREFIX, AuthSettings
from authsvc.store import Administration, Store
from svckit.settings import read_settings

ACME = Organization(id="acme", name="Acme")
ANA = User(id="ana", organization_id="acme", email="ana@acme", locals=frozenset({"centro"}))


class Overtaken(Administration):
    """Somebody writes as soon as anything has been read."""

    store: Store

    async def find(self, kind: type[Entity], id_: str, *, confined_to: str | None) -> Entity | None:
        found = await super().find(kind, id_, confined_to=confined_to)
        await self.store.revoke("ana", "centro", by=OPERATOR)
        await self.store.put_each([replace(ACME, status=Status.INACTIVE)], by=OPERATOR)
        return found


async def test_what_is_taken_meanwhile_stays_taken(tmp_path: Path) -> None:
    environ = {"AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/auth.db"}
    async with open_backend(read_settings(AuthSettings, PREFIX, environ)) as backend:
        centro = Local(id="centro", organization_id="acme", name="Centro")
        await backend.store.put_each([ACME, centro, ANA], by=SYSTEM)
        overtaken = Overtaken(backend.engine)
        overtaken.store = backend.store

        made = await make_admin(
            replace(backend, administration=overtaken), "ana", organization_id="x", by=OPERATOR
        )
        stored = {entity.id: entity async for entity in backend.store.export()}

    assert made.user == stored["ana"]
    assert made.user.locals == frozenset()
    assert made.user.roles == {"acme:platform-admin"}
    assert stored["acme"] == replace(ACME, status=Status.INACTIVE)
    assert "x" not in stored
