"""Auth's settings: what it starts with, and what it does not start with."""

import pytest

from authsvc.asking import RPCS
from authsvc.settings import PREFIX, AuthSettings
from generated.access.v1 import AccessServiceBase
from generated.auth import AuthServiceBase
from svckit.address import Address
from svckit.settings import SettingsError, read_settings

Environ = dict[str, str]
KEY = "K-canary-0123456789-abcdefghijkl"


def test_auth_starts_without_any_setting_and_stays_on_this_machine() -> None:
    settings = read_settings(AuthSettings, PREFIX, {})

    assert str(settings.grpc_bind) == "127.0.0.1:50051"
    assert str(settings.http_bind) == "127.0.0.1:8001"
    assert settings.database_url == "sqlite+aiosqlite:///var/auth.db"


@pytest.mark.parametrize("name", ["GRPC_BIND", "HTTP_BIND"])
@pytest.mark.parametrize("value", ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "auth.internal:1"])
def test_an_address_beyond_loopback_stops_the_start_where_nobody_must_say_who_they_are(
    name: str, value: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^AUTH_{name}: .* is beyond loopback, .*KEYS"):
        read_settings(AuthSettings, PREFIX, {f"AUTH_{name}": value})


BINDS: tuple[Environ, ...] = (
    {},
    {"AUTH_GRPC_BIND": "0.0.0.0:1"},
    {"AUTH_HTTP_BIND": "[::]:1"},
    {"AUTH_GRPC_BIND": "10.0.0.1:1", "AUTH_HTTP_BIND": "auth.internal:1"},
)
KEYS: tuple[Environ, ...] = (
    {},
    {"AUTH_SERVICE_KEYS": f"catalog:{KEY}"},
    {"AUTH_SERVICE_KEYS": " , "},
)
CERTIFICATES: tuple[Environ, ...] = (
    {},
    {"AUTH_TLS_CERT": "c.pem"},
    {"AUTH_TLS_KEY": "k.pem"},
    {"AUTH_TLS_CERT": "c.pem", "AUTH_TLS_KEY": "k.pem"},
)
CLIENTS: tuple[Environ, ...] = (
    {},
    {"AUTH_TLS_CLIENT_CA": "ca.pem"},
    {"AUTH_TLS_CLIENT_NAMES": "a=catalog"},
    {"AUTH_TLS_CLIENT_CA": "ca.pem", "AUTH_TLS_CLIENT_NAMES": "a=catalog"},
)
SWITCHES: tuple[Environ, ...] = (
    {},
    {"AUTH_INSECURE": "no"},
    {"AUTH_INSECURE": "yes"},
    {"AUTH_REFLECTION": "yes"},
)


@pytest.mark.parametrize("bind", BINDS)
@pytest.mark.parametrize("keys", KEYS)
@pytest.mark.parametrize("certificates", CERTIFICATES)
@pytest.mark.parametrize("clients", CLIENTS)
@pytest.mark.parametrize("switches", SWITCHES)
def test_no_settings_open_a_port_beyond_loopback_to_everybody_unless_they_say_so(
    bind: Environ, keys: Environ, certificates: Environ, clients: Environ, switches: Environ
) -> None:
    environ = {**bind, **keys, **certificates, **clients, **switches}
    is_half_set = len(certificates) == 1 or len(clients) == 1 or len(clients) > len(certificates)
    is_closed = "catalog" in keys.get("AUTH_SERVICE_KEYS", "") or bool(clients)
    is_spelled_out = switches.get("AUTH_INSECURE") == "yes"

    if is_half_set or (bind and not is_closed and not is_spelled_out):
        with pytest.raises(SettingsError, match=r"^AUTH_"):
            read_settings(AuthSettings, PREFIX, environ)
        return
    settings = read_settings(AuthSettings, PREFIX, environ)

    # On loopback too, whoever named services wants to know who asks.
    assert bool(settings.callers) is is_closed
    assert settings.insecure is is_spelled_out


@pytest.mark.parametrize(
    ("environ", "has_reflection"),
    [
        ({}, True),
        ({"AUTH_REFLECTION": "no"}, False),
        ({"AUTH_GRPC_BIND": "0.0.0.0:1"}, False),
        ({"AUTH_GRPC_BIND": "0.0.0.0:1", "AUTH_REFLECTION": "yes"}, True),
        ({"AUTH_HTTP_BIND": "0.0.0.0:1"}, True),
    ],
)
def test_reflection_is_off_beyond_loopback_unless_asked_for(
    environ: Environ, *, has_reflection: bool
) -> None:
    environ = {"AUTH_SERVICE_KEYS": f"catalog:{KEY}", **environ}

    assert read_settings(AuthSettings, PREFIX, environ).has_reflection is has_reflection


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        ({"AUTH_TLS_CERT": "c"}, "AUTH_TLS_KEY: not set, and AUTH_TLS_CERT needs it"),
        ({"AUTH_TLS_KEY": "k"}, "AUTH_TLS_CERT: not set, and AUTH_TLS_KEY needs it"),
        ({"AUTH_TLS_CLIENT_CA": "a"}, "AUTH_TLS_CERT: not set, and AUTH_TLS_CLIENT_CA needs it"),
        (
            {"AUTH_TLS_CLIENT_NAMES": "a=b"},
            "AUTH_TLS_CLIENT_CA: not set, and AUTH_TLS_CLIENT_NAMES needs it",
        ),
        ({"AUTH_SERVICE_KEYS": KEY}, "AUTH_SERVICE_KEYS: entry 1 is not name:key"),
        ({"AUTH_SERVICE_KEYS": f"a:{KEY[1:]}"}, "AUTH_SERVICE_KEYS: the key of entry 1 is not 32"),
        ({"AUTH_SERVICE_RPCS": "a:Watch"}, "AUTH_SERVICE_RPCS: entry 1 names a service that has"),
        (
            {"AUTH_SERVICE_KEYS": f"a:{KEY}", "AUTH_SERVICE_RPCS": "a:Everything"},
            "AUTH_SERVICE_RPCS: entry 1 names an RPC that is none of ValidateLocal, ",
        ),
        ({"AUTH_TLS_CLIENT_NAMES": "catalog"}, "AUTH_TLS_CLIENT_CA: "),
        (
            {
                "AUTH_TLS_CERT": "c",
                "AUTH_TLS_KEY": "k",
                "AUTH_TLS_CLIENT_CA": "a",
                "AUTH_TLS_CLIENT_NAMES": "*=catalog",
            },
            "AUTH_TLS_CLIENT_NAMES: entry 1 is not a DNS name or URI",
        ),
    ],
)
def test_half_a_setting_or_a_malformed_one_stops_the_start_without_the_key(
    environ: Environ, problem: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings(AuthSettings, PREFIX, environ)

    assert str(refused.value).startswith(problem)
    assert KEY[1:] not in repr(refused.value)
    assert KEY[1:] not in repr(refused.value.__cause__)


def test_the_rpcs_that_a_service_can_be_kept_to_are_all_there_are() -> None:
    paths = [*AuthServiceBase().__mapping__(), *AccessServiceBase().__mapping__()]

    assert {path.rpartition("/")[2] for path in paths} == set(RPCS)


def test_no_repr_shows_a_key() -> None:
    settings = read_settings(AuthSettings, PREFIX, {"AUTH_SERVICE_KEYS": f"catalog:{KEY}"})

    assert KEY not in repr(settings)


def test_no_repr_shows_the_databases_password() -> None:
    environ = {"AUTH_DATABASE_URL": "postgresql+asyncpg://portero:canary@db/auth"}

    assert "canary" not in repr(read_settings(AuthSettings, PREFIX, environ))


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
