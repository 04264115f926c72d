"""Auth and Catalog as processes, closed by keys and certificates: they work, and tell no secret."""

import asyncio
import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import aiohttp
import pytest

from catalogsvc.authz import AuthClient, AuthClientSettings, AuthUnavailable
from tests.integration.system.closed_auth import KEY, OTHER_KEY, SAN, Papers
from tests.integration.system.conftest import Place
from tests.processes import authctl, free_port, run_module, run_services

WRONG_KEY = "kW5-canary-that-was-never-given-out-1"
CANARIES = {
    text
    for key in (KEY, OTHER_KEY, WRONG_KEY)
    for text in (key, sha256(key.encode()).hexdigest(), repr(sha256(key.encode()).digest()))
}
KEYS = {
    "AUTH_SERVICE_KEYS": f"catalog:{KEY},billing:{OTHER_KEY}",
    "CATALOG_AUTH_SERVICE_KEY": KEY,
    # Each question goes to Auth.
    "CATALOG_AUTH_MAX_STALENESS_S": "0",
}


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path / "papers")


def over_tls(place: Place, papers: Papers) -> dict[str, str]:
    return {
        **papers.tls,
        "CATALOG_AUTH_TLS_CA": str(papers.authority.path),
        "CATALOG_AUTH_REST_URLS": f"https://127.0.0.1:{place.auth_port}",
    }


def by_certificate(place: Place, papers: Papers) -> dict[str, str]:
    own = papers.authority.issue(uris=[SAN])
    return {
        **over_tls(place, papers),
        **papers.mtls,
        "CATALOG_AUTH_TLS_CERT": str(own.cert),
        "CATALOG_AUTH_TLS_KEY": str(own.key),
        "CATALOG_AUTH_MAX_STALENESS_S": "0",
    }


async def token_of_ana(environ: Mapping[str, str]) -> str:
    code, output = await authctl("token", "issue", "ana", environ=environ)
    assert code == 0, output
    return output.strip().splitlines()[-1]


async def ask_the_catalog(place: Place, token: str) -> tuple[int, str]:
    """The status, and where the decision came from."""
    url = f"http://127.0.0.1:{place.catalog_port}/api/v1/locals/centro/products"
    async with (
        aiohttp.ClientSession() as http,
        http.get(url, headers={"authorization": f"Bearer {token}"}) as answer,
    ):
        await answer.read()
        return answer.status, answer.headers.get("x-auth-source", "")


async def refuse_to_answer(settings: AuthClientSettings) -> str:
    async with AuthClient(settings) as client:
        with pytest.raises(AuthUnavailable) as refused:
            await client.validate_local(user_id="ana", organization_id="demo", local_id="centro")
    return repr(refused.value)


@pytest.mark.parametrize("closed_by", ["keys", "keys over TLS", "certificates"])
async def test_the_catalog_is_answered_over_grpc_and_when_that_is_out_over_rest(
    place: Place, papers: Papers, closed_by: str
) -> None:
    environ = {
        **place.environ,
        **{
            "keys": KEYS,
            "keys over TLS": {**KEYS, **over_tls(place, papers)},
            "certificates": by_certificate(place, papers),
        }[closed_by],
    }
    async with run_services("authsvc", "catalogsvc", environ=environ, ports=place.ports) as both:
        token = await token_of_ana(environ)
        assert await ask_the_catalog(place, token) == (200, "GRPC")
        assert await both.stop() == 0
    dead = {**environ, "CATALOG_AUTH_GRPC_TARGETS": f"127.0.0.1:{free_port()}"}
    async with run_services("authsvc", "catalogsvc", environ=dead, ports=place.ports) as both:
        assert await ask_the_catalog(place, token) == (200, "REST")
        scheme = "http" if closed_by == "keys" else "https"
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{scheme}://127.0.0.1:{place.auth_port}/health/grpc", ssl=False) as health,
        ):
            assert (health.status, await health.json()) == (200, {"status": "healthy"})
        assert await both.stop() == 0


@pytest.mark.parametrize("level", ["INFO", "DEBUG"])
async def test_no_key_is_told_by_anything_that_is_said(place: Place, level: str) -> None:
    environ = {**place.environ, **KEYS, "LOG_LEVEL": level}
    grpc = (f"127.0.0.1:{place.grpc_port}",)
    rest = (f"http://127.0.0.1:{place.auth_port}",)
    said = ""
    async with run_services("authsvc", "catalogsvc", environ=environ, ports=place.ports) as both:
        assert await ask_the_catalog(place, await token_of_ana(environ)) == (200, "GRPC")
        for settings in (
            AuthClientSettings(grpc_targets=grpc, service_key=WRONG_KEY),
            AuthClientSettings(rest_urls=rest, service_key=WRONG_KEY),
        ):
            said += repr(settings)
            said += await refuse_to_answer(settings)
        async with aiohttp.ClientSession() as http:
            for path in ("/metrics", "/openapi.json", "/readyz", "/api/v1/explain"):
                async with http.get(rest[0] + path, headers={"x-service-key": WRONG_KEY}) as page:
                    said += await page.text() + repr(page.headers)
        assert await both.stop() == 0
    said += both.output

    lines = [json.loads(line) for line in both.output.splitlines() if line.startswith("{")]
    refused = [line for line in lines if line["event"] == "caller_refused"]
    assert refused[0]["reason"] == "unknown key"
    assert refused[0]["peer"] == "127.0.0.1"
    assert [canary for canary in CANARIES if canary in said] == []


async def test_what_is_no_tls_gets_no_answer_and_makes_no_line_in_the_log(
    place: Place, papers: Papers
) -> None:
    environ = {**place.environ, **KEYS, **over_tls(place, papers)}
    http = b"GET /livez HTTP/1.1\r\nhost: x\r\n\r\n"
    http2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    async with run_services("authsvc", environ=environ, ports=place.ports[:2]) as auth:
        await auth.printed("authctl revoke")
        for port in place.ports[:2]:
            for talk in (http, http2, b"", b"\x16\x03\x01\xff\xff" + b"\0" * 100, b"\0" * 9000):
                assert not (await said_in_plain(port, talk)).startswith((b"HTTP", b"PRI", b"\0"))
        assert await auth.stop() == 0

    said = [line for line in auth.output.splitlines() if line.startswith("{")]
    assert {json.loads(line)["event"] for line in said} <= {"ready", "not_ready"}
    assert "Traceback" not in auth.output


async def said_in_plain(port: int, talk: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(talk)
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5.0)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()


async def test_a_port_open_to_everybody_is_said_at_every_start(place: Place) -> None:
    bind = f"0.0.0.0:{place.grpc_port}"
    environ = {**place.environ, "AUTH_GRPC_BIND": bind, "AUTH_INSECURE": "yes"}

    async with run_services("authsvc", environ=environ, ports=place.ports[:2]) as auth:
        assert await auth.stop() == 0

    lines = [json.loads(line) for line in auth.output.splitlines() if line.startswith("{")]
    (warning,) = [line for line in lines if line["event"] == "insecure"]
    assert (warning["level"], warning["setting"], warning["is_open"]) == (
        "warning",
        "AUTH_INSECURE",
        True,
    )


@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"AUTH_SERVICE_KEYS": f"catalog {KEY}"}, "AUTH_SERVICE_KEYS: entry 1 is not name:key"),
        ({"CATALOG_AUTH_SERVICE_KEY": KEY[:31]}, "CATALOG_AUTH_SERVICE_KEY: is not 32 or more"),
        (
            {"AUTH_TLS_CERT": "/no/cert", "AUTH_TLS_KEY": "/no/key"},
            "AUTH_TLS_CERT, _KEY, _CLIENT_CA: cannot read /no/cert: No such file or directory",
        ),
        (
            {"CATALOG_AUTH_TLS_CA": "/no/ca", "CATALOG_AUTH_REST_URLS": "https://127.0.0.1:1"},
            "CATALOG_AUTH_TLS_CA, _CERT, _KEY: cannot read /no/ca: No such file or directory",
        ),
        (
            {"CATALOG_AUTH_TLS_CA": "/no/ca"},
            "CATALOG_AUTH_REST_URLS: a value is not https://host, and tls_ca is set",
        ),
    ],
)
async def test_a_credential_that_cannot_be_used_stops_the_start_in_one_line(
    place: Place, environ: dict[str, str], reason: str
) -> None:
    code, output = await run_module(
        "svckit", "authsvc", "catalogsvc", environ={**place.environ, **environ}
    )

    assert code == 2
    assert f"cannot start: {reason}" in output
    assert "Traceback" not in output
    assert KEY[:31] not in output
