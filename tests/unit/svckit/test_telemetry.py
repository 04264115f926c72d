from svckit.telemetry import open_telemetry
from tests.unit.svckit.seen import Seen


async def test_two_services_of_one_process_share_nothing() -> None:
    async with open_telemetry("auth", {}) as auth, open_telemetry("catalog", {}) as catalog:
        assert auth.tracing.tracer is not catalog.tracing.tracer
        assert auth.metrics.registry is not catalog.metrics.registry
        assert (auth.service_name, catalog.service_name) == ("auth", "catalog")


def test_a_bug_is_logged_under_an_id_of_its_own_each_time() -> None:
    seen = Seen()
    bug = ValueError("why")

    ids = [seen.telemetry.report_bug(bug) for _ in range(2)]

    lines = seen.lines("internal_error")
    assert [line["error_id"] for line in lines] == ids
    assert ids[0] != ids[1]
    assert [line["exc_info"] for line in lines] == [bug, bug]
