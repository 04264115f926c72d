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
