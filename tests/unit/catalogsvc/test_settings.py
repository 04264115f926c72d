"""Which Catalog the environment asks for, and which Auth it turns to."""

import pytest

from catalogsvc.settings import PREFIX, CatalogSettings, read_auth_settings
from svckit.address import Address
from svckit.settings import SettingsError, read_settings


def test_an_empty_environment_is_a_catalog_on_this_machine() -> None:
    settings = read_settings(CatalogSettings, PREFIX, {})

    assert settings.http_bind == Address("127.0.0.1", 8002)
    assert settings.database_url == "sqlite+aiosqlite:///var/catalog.db"
    assert not settings.demo


def test_no_repr_shows_the_databases_password() -> None:
    environ = {"CATALOG_DATABASE_URL": "postgresql+asyncpg://portero:canary@db/catalog"}

    assert "canary" not in repr(read_settings(CatalogSettings, PREFIX, environ))


def test_a_port_that_asks_for_tokens_may_be_bound_beyond_loopback() -> None:
    settings = read_settings(CatalogSettings, PREFIX, {"CATALOG_HTTP_BIND": "192.0.2.1:80"})

    assert settings.http_bind == Address("192.0.2.1", 80)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CATALOG_HTTP_BIND", "nowhere"),
        ("CATALOG_CALL_TIMEOUT_S", "0"),
        ("CATALOG_CALL_TIMEOUT_S", "nan"),
        ("CATALOG_DRAIN_S", "-1"),
        ("CATALOG_DEMO", "perhaps"),
    ],
)
def test_a_wrong_setting_is_refused_by_its_name(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        read_settings(CatalogSettings, PREFIX, {variable: value})


def test_without_a_word_about_auth_it_is_on_this_machine() -> None:
    settings = read_auth_settings({})

    assert settings.grpc_targets == ("127.0.0.1:50051",)
    assert settings.rest_urls == ("http://127.0.0.1:8001",)


def test_with_an_authority_the_auth_on_this_machine_is_asked_over_tls_too() -> None:
    settings = read_auth_settings({"CATALOG_AUTH_TLS_CA": "ca.pem"})

    assert settings.rest_urls == ("https://127.0.0.1:8001",)


def test_who_names_one_auth_does_not_fall_back_to_this_machine() -> None:
    grpc_only = read_auth_settings({"CATALOG_AUTH_GRPC_TARGETS": "auth:50051"})
    rest_only = read_auth_settings({"CATALOG_AUTH_REST_URLS": "https://auth"})

    assert (grpc_only.grpc_targets, grpc_only.rest_urls) == (("auth:50051",), ())
    assert (rest_only.grpc_targets, rest_only.rest_urls) == ((), ("https://auth",))


def test_a_wrong_word_about_auth_is_refused_by_its_name() -> None:
    with pytest.raises(SettingsError, match="CATALOG_AUTH_GRPC_TARGETS"):
        read_auth_settings({"CATALOG_AUTH_GRPC_TARGETS": "nowhere"})
