"""Which path the router asks, in what order, for how long, and what it says in the end."""

import asyncio
from collections.abc import Sequence

import pytest
import structlog
from structlog.testing import LogCapture

from catalogsvc.authz.breaker import Breaker, BreakerState
from catalogsvc.authz.errors import (
    AuthProtocolError,
    AuthUnavailable,
    CredentialRefused,
    InvalidRequest,
)
from catalogsvc.authz.model import LocalQuery, Reason, Source
from catalogsvc.authz.path import GuardedPath, Path
from catalogsvc.authz.router import Router
from catalogsvc.authz.transport import Transport
from svckit import errors
from svckit.deadline import Deadline
from tests.contract.authz.fake_auth import FakeAuth, Said
from tests.contract.authz.fake_transport import FakeTransport

QUERY = LocalQuery(user_id="u1", organization_id="o1", local_id="l1")
DOWN = errors.Unavailable("down")


def now() -> float:
    return asyncio.get_running_loop().time()


class Bench:
    """A router over fakes: `grpc[i]` and `rest[i]` are the Auths behind its paths."""

    def __init__(self, *, targets: int, urls: int, failures_max: int = 5) -> None:
        self.grpc = [FakeAuth() for _ in range(targets)]
        self.rest = [FakeAuth() for _ in range(urls)]
        self.capture = LogCapture()
        log = structlog.wrap_logger(
            structlog.PrintLogger(),
            processors=[self.capture],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        self.router = Router(
            [
                GuardedPath(
                    FakeTransport(auth=auth, name=f"grpc{number}"),
                    source=Source.GRPC,
                    clock=now,
                    breaker=Breaker(failures_max=failures_max, cooldown_s=60.0),
                    fair_span_s=0.05,
                    log=log,
                )
                for number, auth in enumerate(self.grpc)
            ],
            [
                Path(FakeTransport(auth=auth, name=f"rest{number}"), source=Source.REST, clock=now)
                for number, auth in enumerate(self.rest)
            ],
            attempt_timeout_s=0.05,
            clock=now,
            log=log,
        )

    async def ask(self, timeout_s: float = 5.0) -> Reason:
        async def question(transport: Transport, deadline: Deadline) -> Reason:
            checked = await transport.check_locals([("u1", "o1", "l1")], deadline=deadline)
            return checked.reasons[0]

        return await self.router.ask(question, deadline=Deadline.after(timeout_s, now=now()))

    def asked(self) -> tuple[list[int], list[int]]:
        return [auth.asked for auth in self.grpc], [auth.asked for auth in self.rest]

    def states(self) -> Sequence[BreakerState]:
        return [target.breaker.state for target in self.router.targets]


async def test_targets_take_turns() -> None:
    bench = Bench(targets=3, urls=1)

    for _ in range(6):
        await bench.ask()

    assert bench.asked() == ([2, 2, 2], [0])


async def test_a_failed_call_goes_to_one_more_target_and_then_to_rest() -> None:
    bench = Bench(targets=3, urls=2)
    for auth in bench.grpc:
        auth.trouble = DOWN
    bench.rest[0].trouble = DOWN

    assert await bench.ask() is Reason.NOT_ASSIGNED
    assert bench.asked() == ([1, 1, 0], [1, 1])
    assert bench.router.answers == {Source.REST: 1}


async def test_a_target_with_an_open_breaker_is_passed_over() -> None:
    bench = Bench(targets=2, urls=0, failures_max=1)
    bench.grpc[0].trouble = DOWN

    for _ in range(6):
        await bench.ask()

    assert bench.asked() == ([1, 6], [])
    assert bench.states() == [BreakerState.OPEN, BreakerState.CLOSED]


async def test_an_answer_by_exception_ends_the_call_and_is_a_success() -> None:
    bench = Bench(targets=1, urls=1, failures_max=1)
    bench.grpc[0].trouble = errors.InvalidRequest("what?")

    with pytest.raises(InvalidRequest):
        await bench.ask()

    assert bench.asked() == ([1], [0])
    assert bench.states() == [BreakerState.CLOSED]
    assert bench.router.answers == {Source.GRPC: 1}


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (errors.Overloaded("busy"), AuthUnavailable),
        (errors.Forbidden("no"), AuthProtocolError),
    ],
)
async def test_overload_and_refusal_end_the_call_and_are_no_news(
    trouble: errors.ServiceError, kind: type[AuthUnavailable]
) -> None:
    bench = Bench(targets=1, urls=1, failures_max=1)
    bench.grpc[0].trouble = trouble

    with pytest.raises(kind):
        await bench.ask()

    assert bench.asked() == ([1], [0])
    assert bench.states() == [BreakerState.CLOSED]
    assert bench.router.answers == {}


async def test_a_refused_credential_is_said_once_for_each_path() -> None:
    bench = Bench(targets=2, urls=0)
    for auth in bench.grpc:
        auth.trouble = errors.Unauthenticated("who are you?")

    for _ in range(10):
        with pytest.raises(CredentialRefused):
            await bench.ask()

    said = [(entry["event"], entry["target"]) for entry in bench.capture.entries]
    assert said == [("auth_refuses_us", "grpc0"), ("auth_refuses_us", "grpc1")]


async def test_a_timeout_counts_when_the_target_had_its_time() -> None:
    bench = Bench(targets=1, urls=1, failures_max=1)
    bench.grpc[0].is_silent = True

    await bench.ask(timeout_s=5.0)

    assert bench.states() == [BreakerState.OPEN]


async def test_a_timeout_of_a_caller_in_a_hurry_does_not_count() -> None:
    bench = Bench(targets=1, urls=1, failures_max=1)
    bench.grpc[0].is_silent = True

    await bench.ask(timeout_s=0.09)

    assert bench.states() == [BreakerState.CLOSED]


async def test_a_cancelled_call_says_nothing_about_the_target() -> None:
    bench = Bench(targets=1, urls=0, failures_max=1)
    bench.grpc[0].is_silent = True
    call = asyncio.create_task(bench.ask())
    await asyncio.wait_for(bench.grpc[0].was_asked.wait(), timeout=5)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert bench.states() == [BreakerState.CLOSED]


async def test_nothing_is_asked_after_the_deadline() -> None:
    bench = Bench(targets=1, urls=1)

    with pytest.raises(AuthUnavailable):
        await bench.ask(timeout_s=0.0)

    assert bench.asked() == ([0], [0])


async def test_unavailable_names_the_paths_in_the_order_they_were_tried() -> None:
    bench = Bench(targets=1, urls=2)
    for auth in (*bench.grpc, *bench.rest):
        auth.trouble = DOWN

    with pytest.raises(AuthUnavailable) as caught:
        await bench.ask()

    assert caught.value.tried == ("grpc0", "rest0", "rest1")
    assert type(caught.value) is AuthUnavailable


async def test_with_every_breaker_open_it_says_when_the_first_will_probe() -> None:
    bench = Bench(targets=2, urls=0, failures_max=1)
    for auth in bench.grpc:
        auth.trouble = DOWN
    with pytest.raises(AuthUnavailable):
        await bench.ask()

    with pytest.raises(AuthUnavailable) as caught:
        await bench.ask()

    assert caught.value.tried == ()
    assert caught.value.retry_after_s == pytest.approx(60, abs=5)


async def test_a_breaker_that_opens_under_a_waiting_call_costs_it_nothing() -> None:
    bench = Bench(targets=2, urls=1, failures_max=1)
    bench.grpc[0].is_silent = True
    call = asyncio.create_task(bench.ask())
    await asyncio.wait_for(bench.grpc[0].was_asked.wait(), timeout=5)
    second = bench.router.targets[1].breaker
    permit = second.admit(now())
    assert not hasattr(permit, "retry_after_s")
    second.failed(permit, now())

    reason = await call

    assert reason is Reason.NOT_ASSIGNED
    assert bench.asked() == ([1, 0], [1])


async def test_an_answer_nobody_understands_is_a_broken_contract() -> None:
    bench = Bench(targets=1, urls=1)
    for auth in (*bench.grpc, *bench.rest):
        auth.decisions[QUERY] = Said(True, "Centro", "NOT_ASSIGNED")

    with pytest.raises(AuthProtocolError) as caught:
        await bench.ask()

    assert caught.value.tried == ("grpc0", "rest0")


async def test_changes_are_logged_once_each_way() -> None:
    bench = Bench(targets=1, urls=1, failures_max=1)
    breaker = Breaker(failures_max=1, cooldown_s=0.001)
    bench.router.targets[0].breaker = breaker
    bench.grpc[0].trouble = DOWN
    await bench.ask()
    bench.grpc[0].trouble = None
    async with asyncio.timeout(5):
        while breaker.state is not BreakerState.CLOSED:
            await bench.ask()
    await bench.ask()

    assert [entry["event"] for entry in bench.capture.entries] == [
        "auth_breaker_opened",
        "auth_fallback_begins",
        "auth_breaker_closed",
        "auth_fallback_ends",
    ]


async def test_many_calls_that_fail_together_log_one_change() -> None:
    bench = Bench(targets=1, urls=1, failures_max=2)
    bench.grpc[0].is_silent = True

    await asyncio.gather(*[bench.ask() for _ in range(10)])

    assert [entry["event"] for entry in bench.capture.entries] == [
        "auth_breaker_opened",
        "auth_fallback_begins",
    ]


async def test_close_closes_every_path() -> None:
    bench = Bench(targets=2, urls=1)

    await bench.router.close()

    for path in (*bench.router.targets, *bench.router.rest):
        assert isinstance(path.transport, FakeTransport)
        assert path.transport.is_closed
