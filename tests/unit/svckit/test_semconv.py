import importlib

from opentelemetry.semconv import attributes
from opentelemetry.semconv._incubating import attributes as incubating

from svckit import semconv

MODULES = ("service", "rpc", "error", "network", "server", "http", "url", "db")


def test_span_names_are_those_of_opentelemetry() -> None:
    theirs = {
        value
        for package in (attributes, incubating)
        for module in MODULES
        for value in _constants(f"{package.__name__}.{module}_attributes")
        if isinstance(value, str)
    }
    ours = {
        value
        for name in semconv.__all__
        if isinstance(value := getattr(semconv, name), str) and "." in value
    }

    assert ours <= theirs


def test_buckets_rise_from_half_a_millisecond_to_the_default_deadline() -> None:
    buckets = semconv.DURATION_BUCKETS_S

    assert list(buckets) == sorted(set(buckets))
    assert (buckets[0], buckets[-1]) == (0.0005, 5.0)


def _constants(module: str) -> list[object]:
    try:
        return list(vars(importlib.import_module(module)).values())
    except ModuleNotFoundError:
        return []
