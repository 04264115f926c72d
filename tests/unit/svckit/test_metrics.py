import pytest

from svckit.metrics import Metrics, Sample, metrics_response, register_snapshot


def test_a_call_is_counted_and_timed() -> None:
    metrics = Metrics()

    metrics.rpc_ended(method="auth.AuthService/ValidateLocal", code="OK", duration_s=0.003)

    labels = {"service": "auth", "method": "ValidateLocal"}
    value = metrics.registry.get_sample_value
    assert value("grpc_request_duration_seconds_sum", labels) == 0.003
    assert value("grpc_request_duration_seconds_bucket", {**labels, "le": "0.005"}) == 1
    assert value("grpc_request_duration_seconds_bucket", {**labels, "le": "0.002"}) == 0
    assert value("grpc_requests_total", {**labels, "status": "OK"}) == 1
    assert value("grpc_errors_total", {**labels, "code": "OK"}) is None


def test_a_call_that_fails_is_an_error_as_well() -> None:
    metrics = Metrics()

    metrics.rpc_ended(
        method="access.v1.AccessService/CheckLocals", code="NOT_FOUND", duration_s=0.1
    )

    labels = {"service": "access.v1", "method": "CheckLocals"}
    value = metrics.registry.get_sample_value
    assert value("grpc_requests_total", {**labels, "status": "NOT_FOUND"}) == 1
    assert value("grpc_errors_total", {**labels, "code": "NOT_FOUND"}) == 1


def test_two_services_share_no_registry() -> None:
    auth, catalog = Metrics(), Metrics()

    auth.http_ended(service="auth", route="/a", method="GET", status=200, duration_s=0.1)

    assert b"http_requests_total{" not in metrics_response(catalog.registry).body


def test_a_snapshot_is_read_at_each_scrape() -> None:
    metrics = Metrics()
    hits = [1]
    register_snapshot(metrics.registry, lambda: [_sample(value=hits[0])])

    hits[0] = 7

    assert metrics.registry.get_sample_value("cache_hits_total", {"cache": "local"}) == 7


@pytest.mark.parametrize("kind", ["counter", "gauge"])
def test_samples_of_one_name_are_one_family(kind: str) -> None:
    metrics = Metrics()
    samples = [
        Sample(
            name="targets_total",
            help="Targets.",
            kind="counter" if kind == "counter" else "gauge",
            value=value,
            labels={"target": target},
        )
        for target, value in (("a:1", 1.0), ("b:1", 2.0))
    ]
    register_snapshot(metrics.registry, lambda: samples)

    text = bytes(metrics_response(metrics.registry).body).decode()

    assert f"# TYPE targets_total {kind}" in text
    assert text.count("# HELP targets_total") == 1
    assert 'targets_total{target="a:1"} 1.0' in text
    assert 'targets_total{target="b:1"} 2.0' in text


def test_the_response_says_it_is_prometheus_text() -> None:
    response = metrics_response(Metrics().registry)

    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")


def _sample(*, value: float) -> Sample:
    return Sample(
        name="cache_hits_total",
        help="Answers found.",
        kind="counter",
        value=value,
        labels={"cache": "local"},
    )
