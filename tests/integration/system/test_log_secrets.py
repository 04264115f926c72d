"""What the log keeps to itself of a call: who asked, with which token, and what they may do."""

import json
from collections.abc import Mapping

import aiohttp
import pytest

from authsvc.audit import SYSTEM
from authsvc.backend import open_backend
from authsvc.model import Entity, Local, Organization, Role, User
from authsvc.settings import AuthSettings
from catalogsvc.authz import AuthClient, AuthClientSettings, UnknownUser
from tests.integration.system.conftest import Place
from tests.processes import Running, run_services

USER, STRANGER = "user-7c1e44", "stranger-5d2a91"
PERMISSION = "catalog:read"
WORLD: tuple[Entity, ...] = (
    Organization(id="acme", name="Acme"),
    Local(id="centro", organization_id="acme", name="Centro"),
    Local(id="norte", organization_id="acme", name="Norte"),
    Role(id="r", organization_id="acme", name="R", permissions=frozenset({PERMISSION})),
    User(
        id=USER,
        organization_id="acme",
        email="ana@acme.test",
        roles=frozenset({"r"}),
        locals=frozenset({"centro"}),
    ),
)


async def fill(place: Place) -> str:
    """A token of the user."""
    settings = AuthSettings(database_url=place.environ["AUTH_DATABASE_URL"])
    async with open_backend(settings) as backend:
        assert await backend.store.put_each(WORLD, by=SYSTEM) == ()
        return await backend.service.issue_token(USER)


async def ask_the_catalog(place: Place, token: str) -> list[int]:
    """The status of a call that is allowed, of one that is denied, and of one with a bad token."""
    statuses = []
    async with aiohttp.ClientSession() as http:
        for local_id, bearer in (("centro", token), ("norte", token), ("centro", token[:-9])):
            url = f"http://127.0.0.1:{place.catalog_port}/api/v1/locals/{local_id}/products"
            async with http.get(url, headers={"authorization": f"Bearer {bearer}"}) as answer:
                statuses.append(answer.status)
    return statuses


async def ask_auth_about_a_stranger(settings: AuthClientSettings) -> bool:
    async with AuthClient(settings) as client:
        with pytest.raises(UnknownUser):
            await client.get_user_permissions(user_id=STRANGER)
        decision = await client.validate_local(
            user_id=STRANGER, organization_id="acme", local_id="centro"
        )
    return decision.is_valid


async def run_and_ask(place: Place, environ: Mapping[str, str], token: str) -> Running:
    """All that was printed while each kind of call was made, on each wire."""
    grpc = AuthClientSettings(grpc_targets=(f"127.0.0.1:{place.grpc_port}",))
    rest = AuthClientSettings(rest_urls=(f"http://127.0.0.1:{place.auth_port}",))
    async with run_services("authsvc", "catalogsvc", environ=environ, ports=place.ports) as running:
        assert await ask_the_catalog(place, token) == [200, 403, 401]
        assert not await ask_auth_about_a_stranger(grpc)
        assert not await ask_auth_about_a_stranger(rest)
        assert await running.stop() == 0
    return running


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_no_log_line_tells_a_token_and_from_info_up_no_user_or_permission(
    place: Place, level: str
) -> None:
    token = await fill(place)

    running = await run_and_ask(
        place, {**place.environ, "AUTH_DEMO": "no", "LOG_LEVEL": level}, token
    )

    lines = running.output.splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    seen = {(line.get("service"), line["event"]) for line in logged}
    assert {("auth", "rpc"), ("auth", "http"), ("catalog", "rpc"), ("catalog", "http")} <= seen
    secrets = set(token.split("."))
    if level == "INFO":
        secrets |= {USER, STRANGER, PERMISSION}
    assert [line for line in lines if any(secret in line for secret in secrets)] == []
