"""Auth's settings: what it starts with, and what it does not start with."""

import pytest

from authsvc.settings import PREFIX, AuthSettings
from svckit.address import Address
from svckit.settings import SettingsError, read_settings


def test_auth_starts_without_any_setting_and_stays_on_this_machine() -> None:
    settings = read_settings(AuthSettings, PREFIX, {})

    assert str(settings.grpc_bind) == "127.0.0.1:50051"
    assert str(settings.http_bind) == "127.0.0.1:8001"
    assert settings.database_url == "sqlite+aiosqlite:///var/auth.db"


@pytest.mark.parametrize("name", ["GRPC_BIND", "HTTP_BIND"])
@pytest.mark.parametrize("value", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "auth.internal:1"])
def test_an_address_beyond_loopback_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^AUTH_{name}: .* is beyond loopback"):
        read_settings(AuthSettings, PREFIX, {f"AUTH_{name}": value})


@pytest.mark.parametrize("value", ["127.0.0.1:0", "[::1]:1", "localhost:1"])
def test_every_spelling_of_loopback_is_accepted(value: str) -> None:
    settings = read_settings(AuthSettings, PREFIX, {"AUTH_GRPC_BIND": value})

    assert settings.grpc_bind == Address.parse(value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECORDS_MAX", "999"),
        ("RECORDS_MAX", "100000001"),
        ("TOKEN_TTL_S", "0"),
        ("TOKEN_TTL_S", "86401"),
        ("CALL_TIMEOUT_S", "0"),
        ("CALL_TIMEOUT_S", "nan"),
        ("DRAIN_S", "301"),
        ("TOKEN_ISSUER", "x" * 257),
        ("DEMO", "perhaps"),
        ("MIGRATE_ON_START", "later"),
    ],
)
def test_a_setting_out_of_bounds_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^AUTH_{name}: "):
        read_settings(AuthSettings, PREFIX, {f"AUTH_{name}": value})
