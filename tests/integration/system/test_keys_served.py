"""Keys of a running Auth: fetched by a verifier elsewhere, and warned of where others read them."""

from pathlib import Path

import aiohttp
import jwt
import pytest

from tests.integration.system.conftest import Place
from tests.processes import Running, authctl, run_services

EXPOSED = "signing_keys_exposed"
CANARY = "canary-" * 5


async def run(place: Place, **environ: str) -> Running:
    """One start of Auth, to its end."""
    ports = (place.grpc_port, place.auth_port)
    async with run_services(
        "authsvc", environ={**place.environ, **environ}, ports=ports
    ) as running:
        pass
    return running


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
async def test_a_verifier_elsewhere_verifies_by_the_key_set_alone(
    place: Place, algorithm: str
) -> None:
    environ = {**place.environ, "AUTH_KEY_ALGORITHM": algorithm}
    ports = (place.grpc_port, place.auth_port)
    url = f"http://127.0.0.1:{place.auth_port}/.well-known/jwks.json"
    async with (
        run_services("authsvc", environ=environ, ports=ports),
        aiohttp.ClientSession() as http,
    ):
        _, token = await authctl("token", "issue", "ana", environ=environ)
        async with http.get(url) as answer:
            key_set, etag = await answer.json(), answer.headers["etag"]
        async with http.get(url, headers={"if-none-match": etag}) as again:
            assert again.status == 304

    (key,) = jwt.PyJWKSet.from_dict(key_set).keys
    claims = jwt.decode(token.strip(), key, algorithms=[algorithm], audience="portero")
    assert claims["user_id"] == "ana"


async def test_keys_that_others_can_read_are_warned_of_once_a_start(place: Place) -> None:
    file = Path(place.folder, "auth.db")
    assert EXPOSED not in (await run(place)).output
    file.chmod(0o644)  # noqa: ASYNC240 # no wait

    exposed = await run(place)
    sealed = await run(place, AUTH_KEY_SECRET=CANARY)

    assert exposed.output.count(EXPOSED) == 1
    assert EXPOSED not in sealed.output
    assert "canary" not in sealed.output


async def test_a_start_without_the_secret_of_the_keys_is_refused(place: Place) -> None:
    await run(place, AUTH_KEY_SECRET=CANARY)

    for environ in ({}, {"AUTH_KEY_SECRET": "another-" * 5}):
        code, output = await authctl("keys", "list", environ={**place.environ, **environ})
        assert (code, output.count("\n")) == (2, 1)
        assert "AUTH_KEY_SECRET: " in output
        assert "canary" not in output
