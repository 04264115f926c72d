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
        ("KEY_ALGORITHM", "HS256"),
        ("KEY_ALGORITHM", "none"),
        ("KEY_ALGORITHM", "es256"),
        ("KEY_ROTATION_S", "-1"),
        ("KEY_ROTATION_S", "3599"),
        ("KEY_ROTATION_S", "never"),
        ("KEY_SECRET", "s" * 31),
        ("KEY_SECRET", "s" * 1025),
        ("KEY_SECRET_OLD", "s" * 31),
        ("DEMO", "perhaps"),
        ("MIGRATE_ON_START", "later"),
    ],
)
def test_a_setting_out_of_bounds_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=rf"^AUTH_{name}: "):
        read_settings(AuthSettings, PREFIX, {f"AUTH_{name}": value})


def test_keys_are_of_the_default_algorithm_and_replaced_once_a_month() -> None:
    settings = read_settings(AuthSettings, PREFIX, {})

    assert (settings.key_algorithm, settings.key_rotation_s) == ("ES256", 30 * 86_400)
    assert (settings.key_secret, settings.key_secret_old) == (None, None)


@pytest.mark.parametrize("algorithm", ["ES256", "EdDSA", "RS256"])
def test_each_algorithm_can_be_set(algorithm: str) -> None:
    settings = read_settings(AuthSettings, PREFIX, {"AUTH_KEY_ALGORITHM": algorithm})

    assert settings.key_algorithm == algorithm


def test_keys_need_not_be_replaced_at_all() -> None:
    assert read_settings(AuthSettings, PREFIX, {"AUTH_KEY_ROTATION_S": "0"}).key_rotation_s == 0


def test_an_old_secret_without_a_new_one_is_half_set() -> None:
    with pytest.raises(SettingsError, match=r"^AUTH_KEY_SECRET: must be set"):
        read_settings(AuthSettings, PREFIX, {"AUTH_KEY_SECRET_OLD": "s" * 32})


def test_a_secret_shows_itself_neither_when_it_is_good_nor_when_it_is_too_short() -> None:
    environ = {"AUTH_KEY_SECRET": "canary" * 6, "AUTH_KEY_SECRET_OLD": "canary" * 6}

    assert "canary" not in repr(read_settings(AuthSettings, PREFIX, environ))
    with pytest.raises(SettingsError) as refused:
        read_settings(AuthSettings, PREFIX, {"AUTH_KEY_SECRET": "canary"})
    assert "canary" not in str(refused.value)
