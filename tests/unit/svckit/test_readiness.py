from svckit.readiness import Readiness, ReadinessReport


def test_a_probe_that_was_not_asked_yet_is_a_reason_not_to_be_ready() -> None:
    report = Readiness(["store"]).report()

    assert report == ReadinessReport(
        is_ready=False, is_draining=False, failures={"store": "not asked yet"}
    )


def test_without_probes_a_service_is_ready() -> None:
    assert Readiness().is_ready


def test_a_drain_is_for_good() -> None:
    readiness = Readiness(["store"])
    readiness.drain()

    readiness.succeeded("store")

    assert readiness.report() == ReadinessReport(is_ready=False, is_draining=True, failures={})


def test_a_listener_is_told_the_state_and_then_each_turn_once() -> None:
    readiness = Readiness(["store"])
    told: list[bool] = []

    readiness.subscribe(lambda report: told.append(report.is_ready))
    readiness.failed("store", "down")
    readiness.succeeded("store")
    readiness.succeeded("store")
    readiness.drain()
    readiness.drain()

    assert told == [False, True, False]
