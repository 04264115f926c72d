"""What cannot start says why in one line, with exit code 2."""

import socket
from collections.abc import Mapping

import pytest

from tests.integration.system.conftest import Place
from tests.processes import run_module


async def start(*modules: str, environ: Mapping[str, str]) -> tuple[int, str]:
    return await run_module("svckit", *modules, environ=environ)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AUTH_GRPC_BIND", "nonsense", "AUTH_GRPC_BIND: 'nonsense' is not host:port"),
        ("AUTH_GRPC_BIND", "0.0.0.0:50051", "AUTH_GRPC_BIND: 0.0.0.0:50051 is beyond loopback"),
        ("AUTH_HTTP_BIND", "[::]:8001", "AUTH_HTTP_BIND: [::]:8001 is beyond loopback"),
        ("AUTH_TOKEN_TTL_S", "soon", "AUTH_TOKEN_TTL_S: "),
        ("AUTH_KEY_ALGORITHM", "HS256", "AUTH_KEY_ALGORITHM: "),
        ("AUTH_KEY_SECRET", "too short", "AUTH_KEY_SECRET: "),
        ("AUTH_DATABASE_URL", "mysql://x", "AUTH_DATABASE_URL: cannot use a 'mysql' database"),
        (
            "AUTH_DATABASE_URL",
            "sqlite+aiosqlite:////dev/null/auth.db",
            "AUTH_DATABASE_URL: cannot open",
        ),
        ("CATALOG_AUTH_GRPC_TARGETS", "auth", "CATALOG_AUTH_GRPC_TARGETS: 'auth' is not host:port"),
        ("CATALOG_AUTH_REST_URLS", "ftp://auth", "CATALOG_AUTH_REST_URLS: "),
        ("CATALOG_AUTH_MAX_STALENESS_S", "-1", "CATALOG_AUTH_MAX_STALENESS_S: "),
        ("LOG_LEVEL", "loud", "LOG_LEVEL: "),
        ("OTEL_TRACES_SAMPLER", "sometimes", "OTEL_TRACES_SAMPLER: "),
    ],
)
async def test_a_wrong_setting_is_named(
    place: Place, variable: str, value: str, reason: str
) -> None:
    code, output = await start("authsvc", "catalogsvc", environ={**place.environ, variable: value})

    assert code == 2
    assert output.startswith(f"cannot start: {reason}"), output
    assert output.count("\n") == 1


async def test_a_port_in_use_is_named(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.catalog_port)):
        code, output = await start("authsvc", "catalogsvc", environ=place.environ)

    assert code == 2
    assert f"CATALOG_HTTP_BIND: cannot listen on 127.0.0.1:{place.catalog_port}" in output
    assert "Traceback" not in output


async def test_a_database_that_is_something_else_is_named(place: Place) -> None:
    (place.folder / "auth.db").write_text("this is a shopping list, not a database\n" * 100)

    code, output = await start("authsvc", environ=place.environ)

    assert code == 2
    assert "auth.db: file is not a database" in output
    assert output.count("\n") == 1


async def test_a_password_in_a_database_url_is_not_repeated(place: Place) -> None:
    url = "postgresql+asyncpg://portero:hunter2@127.0.0.1:1/auth"

    code, output = await start("authsvc", environ={**place.environ, "AUTH_DATABASE_URL": url})

    assert code == 2
    assert "cannot open postgresql+asyncpg://portero:***@127.0.0.1:1/auth: Conn" in output
    assert "hunter2" not in output


@pytest.mark.parametrize("modules", [(), ("nosuch",), ("../authsvc",)])
async def test_an_unknown_service_is_named(place: Place, modules: tuple[str, ...]) -> None:
    code, output = await start(*modules, environ=place.environ)

    assert code == 2
    assert output.count("\n") == 1
