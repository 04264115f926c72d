"""Prometheus metrics of one service, in a registry of its own.

Labels come from what the service itself knows (its methods, its routes, status names), never from
what a client sends: a stranger must not be able to make series.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.responses import Response

from svckit import semconv
from svckit.rpc import service_and_name

__all__ = ["Metrics", "Sample", "register_snapshot", "metrics_response"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One number as it stands now. Samples of one name share `help`, `kind` and label names."""

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


class Metrics:
    """What is measured of every call, and the registry for whatever else a service counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._rpc_duration = Histogram(
            semconv.GRPC_REQUEST_DURATION,
            "Seconds a gRPC call took, served or made by this service.",
            ("service", "method"),
            buckets=semconv.DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self._rpc_requests = self._counter(
            semconv.GRPC_REQUESTS, "gRPC calls that ended.", "service", "method", "status"
        )
        self._rpc_errors = self._counter(
            semconv.GRPC_ERRORS, "gRPC calls that ended not OK.", "service", "method", "code"
        )
        self._rpc_ended: dict[tuple[str, str], tuple[Histogram, Counter, Counter | None]] = {}
        self._http_duration = Histogram(
            semconv.HTTP_REQUEST_DURATION,
            "Seconds an HTTP request took to serve.",
            ("service", "route", "method"),
            buckets=semconv.DURATION_BUCKETS_S,
            registry=self.registry,
        )
        self._http_requests = self._counter(
            semconv.HTTP_REQUESTS, "HTTP requests served.", "service", "route", "method", "status"
        )

    def rpc_ended(self, *, method: str, code: str, duration_s: float | None) -> None:
        """`method` is the full name. A `duration_s` of None is counted and not measured."""
        key = (method, code)
        ended = self._rpc_ended.get(key)
        if ended is None:
            # Looking the labels up costs five times as much as counting, so it is done once.
            names = service_and_name(method)
            ended = self._rpc_ended[key] = (
                self._rpc_duration.labels(*names),
                self._rpc_requests.labels(*names, code),
                None if code == "OK" else self._rpc_errors.labels(*names, code),
            )
        duration, requests, errors = ended
        if duration_s is not None:
            duration.observe(duration_s)
        requests.inc()
        if errors is not None:
            errors.inc()

    def http_ended(
        self, *, service: str, route: str, method: str, status: int, duration_s: float
    ) -> None:
        self._http_duration.labels(service, route, method).observe(duration_s)
        self._http_requests.labels(service, route, method, str(status)).inc()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


def register_snapshot(registry: CollectorRegistry, read: Callable[[], Iterable[Sample]]) -> None:
    """Exports plain numbers that are counted elsewhere: `read` is called at each scrape."""
    registry.register(_Snapshot(read))


def metrics_response(registry: CollectorRegistry) -> Response:
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Snapshot(Collector):
    def __init__(self, read: Callable[[], Iterable[Sample]]) -> None:
        self._read = read

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for sample in self._read():
            family = families.setdefault(sample.name, _family(sample))
            family.add_sample(sample.name, dict(sample.labels), sample.value)
        return families.values()


def _family(sample: Sample) -> Metric:
    kind = CounterMetricFamily if sample.kind == "counter" else GaugeMetricFamily
    return kind(sample.name, sample.help)
