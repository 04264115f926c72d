"""What the client refuses to be told, and by which name."""

import math
from typing import Any

import pytest

from catalogsvc.authz.settings import AuthClientSettings


def make(**values: Any) -> AuthClientSettings:
    return AuthClientSettings(**{"grpc_targets": ("127.0.0.1:50051",), **values})


def test_the_defaults_are_the_promised_ones() -> None:
    settings = make()

    assert (settings.timeout_s, settings.attempt_timeout_s) == (5.0, 1.0)
    assert (settings.breaker_failures, settings.breaker_cooldown_s) == (5, 60.0)
    assert settings.max_staleness_s == 2.0
    assert (settings.ttl_allowed_s, settings.ttl_denied_s) == (30.0, 5.0)
    assert not settings.has_second_level
    assert not settings.cache_without_feed


@pytest.mark.parametrize(
    "values",
    [
        {"grpc_targets": ("auth.internal:50051", "[::1]:50051")},
        {"grpc_targets": (), "rest_urls": ("http://127.0.0.1:8001", "https://auth.internal/p/")},
        {"max_staleness_s": 0},
    ],
)
def test_what_is_right_is_taken(values: dict[str, Any]) -> None:
    make(**values)


@pytest.mark.parametrize(
    "target", ["", "auth", "auth:", ":50051", "auth:x", "auth:99999", "auth:0"]
)
def test_a_bad_target_is_refused_by_name(target: str) -> None:
    with pytest.raises(ValueError, match=r"^grpc_targets: "):
        make(grpc_targets=(target,))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "auth:8001",
        "ftp://auth",
        "http://",
        "http://auth:x",
        "http://auth:0",
        "http://[::1",
        "http://auth?x=1",
        "http://auth#x",
        "http://user:secret@auth",
    ],
)
def test_a_bad_url_is_refused_by_name_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^rest_urls: ") as caught:
        make(rest_urls=(url,))

    assert "secret" not in str(caught.value)


def test_with_nowhere_to_ask_there_is_no_client() -> None:
    with pytest.raises(ValueError, match=r"^grpc_targets: "):
        AuthClientSettings()


@pytest.mark.parametrize("name", ["grpc_targets", "rest_urls"])
def test_a_place_named_twice_is_refused(name: str) -> None:
    place = {"grpc_targets": "auth:1", "rest_urls": "http://auth"}[name]

    with pytest.raises(ValueError, match=f"^{name}: "):
        make(**{name: (place, place)})


@pytest.mark.parametrize("value", [0, -1, math.inf, math.nan])
@pytest.mark.parametrize(
    "name",
    [
        "timeout_s",
        "attempt_timeout_s",
        "breaker_failures",
        "breaker_cooldown_s",
        "channels_per_target",
        "ttl_allowed_s",
        "ttl_denied_s",
        "cache_entries_max",
        "flights_max",
    ],
)
def test_a_number_that_is_none_or_negative_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"^{name}: "):
        make(**{name: value})


@pytest.mark.parametrize("value", [-1.0, math.inf, math.nan])
def test_staleness_may_be_nothing_but_not_less(value: float) -> None:
    with pytest.raises(ValueError, match=r"^max_staleness_s: "):
        make(max_staleness_s=value)


@pytest.mark.parametrize(
    "url", ["redis://cache", "redis://cache:6379/3", "rediss://user:secret@cache:6380/"]
)
def test_a_redis_is_a_second_level_while_there_is_a_first(url: str) -> None:
    assert make(cache_url=url).has_second_level
    assert not make(cache_url=url, max_staleness_s=0).has_second_level


@pytest.mark.parametrize(
    "url",
    [
        "memory",
        "http://secret@cache",
        "redis://",
        "redis://secret@cache:x",
        "redis://secret@cache:0",
        "redis://[::1",
        "redis://secret@cache/one",
        "redis://secret@cache/1?db=2",
        "redis://secret@cache/1#x",
    ],
)
def test_a_bad_cache_url_is_refused_by_name_and_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"^cache_url: ") as caught:
        make(cache_url=url)

    assert "secret" not in str(caught.value)


def test_a_password_is_not_printed() -> None:
    assert "secret" not in repr(make(cache_url="redis://:secret@cache"))


@pytest.mark.parametrize(
    "values",
    [
        {"service_key": "k" * 32},
        {"tls_ca": "ca.pem"},
        {"tls_ca": "ca.pem", "tls_cert": "c.pem", "tls_key": "k.pem"},
        {"tls_ca": "ca.pem", "rest_urls": ("https://auth",)},
    ],
)
def test_a_whole_credential_is_taken(values: dict[str, str]) -> None:
    make(**values)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"tls_ca": "a", "tls_cert": "c"}, "tls_key: not set, and tls_cert needs it"),
        ({"tls_ca": "a", "tls_key": "k"}, "tls_cert: not set, and tls_key needs it"),
        ({"tls_cert": "c", "tls_key": "k"}, "tls_ca: not set, and tls_cert needs it"),
        ({"service_key": "canary"}, "service_key: is not 32 or more ASCII characters"),
        ({"service_key": "canary" * 6 + " "}, "service_key: is not 32 or more ASCII characters"),
        # Whoever can block gRPC could have a plain answer believed, and read the key.
        (
            {"tls_ca": "a", "rest_urls": ("https://auth", "http://auth")},
            "rest_urls: a value is not https://host, and tls_ca is set",
        ),
    ],
)
def test_half_a_credential_or_a_way_around_it_is_refused_by_name_and_not_repeated(
    values: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as refused:
        make(**values)

    assert "canary" not in repr(refused.value)


def test_no_repr_shows_the_key() -> None:
    assert "canary" not in repr(make(service_key="canary" * 6))
