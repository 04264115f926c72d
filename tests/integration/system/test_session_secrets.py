"""Sessions in a real process: what ends is refused by the Catalog, and no secret is told.

Neither in what is printed, nor in the audit log, nor in a span.
"""

import asyncio
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from authsvc.audit import OPERATOR
from authsvc.backend import open_backend
from authsvc.settings import AuthSettings
from authsvc.store.schema import audit
from svckit.database import open_database
from tests.integration.system.conftest import Place
from tests.integration.system.test_log_secrets import USER, WORLD
from tests.otlp import otlp_receiver
from tests.processes import run_services

PASSWORD, WRONG, CHANGED = "canary-right-1", "canary-wrong-2", "canary-new-3"
# The promise of docs/staleness.md.
STALENESS_MAX_S = 2.0


async def fill(place: Place) -> None:
    settings = AuthSettings(database_url=place.environ["AUTH_DATABASE_URL"])
    async with open_backend(settings) as backend:
        assert await backend.store.put_each(WORLD, by=OPERATOR) == ()
        await backend.sessions.set_password(USER, PASSWORD, by=OPERATOR)


async def audit_rows(place: Place) -> list[Any]:
    engine = open_database(place.environ["AUTH_DATABASE_URL"])
    try:
        async with engine.connect() as connection:
            return list((await connection.execute(select(audit))).all())
    finally:
        await engine.dispose()


class Caller:
    """Remembers every secret that it was given."""

    def __init__(self, place: Place, http: aiohttp.ClientSession) -> None:
        self.place = place
        self.http = http
        self.secrets = {PASSWORD, WRONG, CHANGED}

    async def post(self, what: str, body: Any = None, *, token: str = "") -> tuple[int, Any]:
        url = f"http://127.0.0.1:{self.place.auth_port}/api/v1/auth/{what}"
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with self.http.post(url, json=body, headers=headers) as answer:
            text = await answer.text()
            told = await answer.json(content_type=None) if text else {}
        for name in ("access_token", "refresh_token"):
            if name in told:
                self.secrets |= set(told[name].removeprefix("prt_").split("."))
        return answer.status, told

    async def log_in(self, password: str) -> tuple[int, Any]:
        body = {"organization_id": "acme", "email": "ANA@acme.test", "password": password}
        return await self.post("login", body)

    async def products(self, token: str) -> int:
        url = f"http://127.0.0.1:{self.place.catalog_port}/api/v1/locals/centro/products"
        async with self.http.get(url, headers={"authorization": f"Bearer {token}"}) as answer:
            return answer.status


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_what_ends_is_refused_in_time_and_no_secret_is_printed(
    place: Place, level: str
) -> None:
    await fill(place)
    environ = {**place.environ, "AUTH_DEMO": "no", "LOG_LEVEL": level}
    async with (
        otlp_receiver() as otlp,
        run_services(
            "authsvc",
            "catalogsvc",
            environ={**environ, "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint},
            ports=place.ports,
        ) as running,
        aiohttp.ClientSession() as http,
    ):
        caller = Caller(place, http)
        assert (await caller.log_in(WRONG))[0] == 401
        _, started = await caller.log_in(PASSWORD)
        # At once: whoever does not know of the session yet must not refuse it.
        assert await caller.products(started["access_token"]) == 200
        _, refreshed = await caller.post("refresh", {"refresh_token": started["refresh_token"]})
        assert await caller.products(refreshed["access_token"]) == 200
        reused, _ = await caller.post("refresh", {"refresh_token": started["refresh_token"]})
        assert reused == 401
        async with asyncio.timeout(STALENESS_MAX_S):
            while await caller.products(refreshed["access_token"]) != 401:  # noqa: ASYNC110 # another process
                await asyncio.sleep(0.005)
        assert await caller.products(started["access_token"]) == 401

        _, again = await caller.log_in(PASSWORD)
        change = {"current_password": PASSWORD, "new_password": CHANGED}
        status, fresh = await caller.post("password", change, token=again["access_token"])
        assert status == 200
        assert await caller.products(fresh["access_token"]) == 200
        assert (await caller.post("logout", token=fresh["access_token"]))[0] == 204
        assert await running.stop() == 0

    assert "refresh_reused" in running.output
    rows = await audit_rows(place)
    assert {"login.failed", "session.start", "session.end", "password.change"} <= {
        row.action for row in rows
    }
    spans = otlp.spans_of("auth")
    assert any("/api/v1/auth/" in span.name for span in spans)
    lines = [*running.output.splitlines(), *map(repr, rows), *map(str, otlp.received)]
    assert [line for line in lines if any(secret in line for secret in caller.secrets)] == []
    assert [line for line in lines if "argon2id" in line] == []
