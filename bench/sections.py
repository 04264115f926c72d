"""What is measured, section by section. Both sides take turns, so that a slow minute hits both."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TypeVar

import msgspec

from bench.jobs import (
    Form,
    HitJob,
    HitLoad,
    LoginJob,
    LoginLoad,
    PacedJob,
    RevocationJob,
    RevocationLoad,
    SequenceJob,
    SequenceLoad,
)
from bench.plan import Section
from bench.processes import free_port
from bench.results import BASELINE, PORTERO, Revocations, Scale, Series
from bench.stage import CLIENT_BOUND_S, Stage

__all__ = ["RUN"]

T = TypeVar("T")

CLIENT = "bench.portero_client"
STOPPED_CLIENTS = 10


async def miss(stage: Stage) -> None:
    """Every question over the wire: one call each on both sides, and Portero's call for a set."""
    sides: tuple[tuple[str, Form], ...] = ((BASELINE, "each"), (PORTERO, "each"), (PORTERO, "set"))
    series = [
        Series(system=system, mix="miss", form=form, in_flight=in_flight)
        for in_flight in stage.plan.in_flight
        for system, form in sides
    ]
    stage.results.miss = series
    await _against_each_other(stage, "miss", series)


async def mixed(stage: Stage) -> None:
    """Nine of ten questions are asked again and again. The baseline has no cache to answer them."""
    series = [
        Series(system=system, mix="mixed", form="each", in_flight=in_flight)
        for in_flight in stage.plan.mixed_in_flight
        for system in (BASELINE, PORTERO)
    ]
    stage.results.mixed = series
    await _against_each_other(stage, "mixed 90/10", series)


async def _against_each_other(stage: Stage, name: str, series: list[Series]) -> None:
    async with stage.baseline() as baseline, stage.auth(stage.plan.small) as auth:
        stage.show.section(name, len(series) * stage.plan.repeats)
        for _ in range(stage.plan.repeats):
            for one in series:
                call = "validate_locals" if one.form == "set" else "validate_local"
                stage.show.step(f"{name}: {one.system} {call}, {one.in_flight} in flight")
                await stage.load(one, baseline if one.system == BASELINE else auth)
                stage.show.step_done()


async def tracing(stage: Stage) -> None:
    """Portero against itself: both processes export to a sink, or neither does."""
    series = {
        name: Series(
            system=PORTERO,
            mix="miss",
            form="each",
            in_flight=stage.plan.tracing_in_flight,
            tracing=name,
        )
        for name in ("off", "1 %", "always")
    }
    stage.results.tracing = list(series.values())
    async with AsyncExitStack() as stack:
        port = free_port()
        await stack.enter_async_context(stage.sink(port))
        environs = _tracing_environs(f"http://127.0.0.1:{port}")
        servers = {
            name: await stack.enter_async_context(
                stage.auth(stage.plan.small, environ=environs[name])
            )
            for name in series
        }
        stage.show.section("tracing", len(series) * stage.plan.repeats)
        for _ in range(stage.plan.repeats):
            for name, one in series.items():
                stage.show.step(f"tracing {name}, {one.in_flight} in flight")
                await stage.load(one, servers[name], environ=environs[name])
                stage.show.step_done()


def _tracing_environs(endpoint: str) -> Mapping[str, Mapping[str, str]]:
    on = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    ratio = {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.01"}
    return {"off": {}, "1 %": {**on, **ratio}, "always": {**on, "OTEL_TRACES_SAMPLER": "always_on"}}


async def hit(stage: Stage) -> None:
    plan = stage.plan
    async with stage.auth(plan.small) as auth:
        stage.show.section("hit", plan.repeats)
        job = HitJob(target=auth.target, shape=plan.small, callers=plan.in_flight, hits=plan.hits)
        for _ in range(plan.repeats):
            stage.show.step("hit: the cache against a plain dict")
            stage.results.hit.append(
                await _ask(stage, "hit", job, answer_type=list[HitLoad], timeout_s=CLIENT_BOUND_S)
            )
            stage.show.step_done()


async def revocation(stage: Stage) -> None:
    plan = stage.plan
    told = [(clients, plan.revocations, False) for clients in plan.clients]
    unheard = (STOPPED_CLIENTS, plan.revocations_unheard, True)
    environ = {"AUTH_DATABASE_URL": await stage.database(plan.small)}
    async with stage.auth(plan.small) as auth:
        stage.show.section("revocation", len(told) + 1)
        for clients, revocations, is_stopped in (*told, unheard):
            what = "Auth stopped" if is_stopped else "told by the feed"
            stage.show.step(f"revocation: {clients} clients, {what}")
            job = RevocationJob(
                target=auth.target,
                server_pid=auth.pid,
                shape=plan.small,
                clients=clients,
                revocations=revocations,
                is_auth_stopped=is_stopped,
            )
            load = await _ask(
                stage,
                "revocation",
                job,
                answer_type=RevocationLoad,
                environ=environ,
                timeout_s=CLIENT_BOUND_S + 15 * revocations,
            )
            stage.results.revocation.append(
                Revocations(clients=clients, is_auth_stopped=is_stopped, load=load)
            )
            stage.show.step_done()


async def scale(stage: Stage) -> None:
    """A fresh Auth each time, for it remembers whom it was asked about."""
    plan = stage.plan
    scales = {shape: Scale(assignments=shape.assignments) for shape in (plan.small, plan.large)}
    stage.results.scale = list(scales.values())
    for shape in scales:
        await stage.database(shape)
    stage.show.section("scale", len(scales) * plan.repeats)
    for _ in range(plan.repeats):
        for shape, one in scales.items():
            stage.show.step(f"scale: {shape.assignments:,} assignments")
            async with stage.auth(shape) as auth:
                job = SequenceJob(
                    target=auth.target,
                    shape=shape,
                    cold_questions=plan.cold_questions,
                    working_set_users=plan.working_set_users,
                    warm_questions=plan.warm_questions,
                )
                one.loads.append(
                    await _ask(
                        stage,
                        "sequence",
                        job,
                        answer_type=SequenceLoad,
                        timeout_s=CLIENT_BOUND_S * 2,
                    )
                )
            stage.show.step_done()


async def logins(stage: Stage) -> None:
    """Portero against itself: the checks alone, and beside logins, in each repeat."""
    plan = stage.plan
    checks = PacedJob(
        every_s=plan.checks_every_s, warm_up_s=plan.warm_up_s, duration_s=plan.logins_s
    )
    login_target = f"127.0.0.1:{free_port()}"
    async with stage.auth(plan.small, environ={"AUTH_HTTP_BIND": login_target}) as auth:
        stage.show.section("logins", plan.repeats)
        for _ in range(plan.repeats):
            stage.show.step(f"logins: {plan.logins_in_flight} in flight, or none")
            job = LoginJob(
                target=auth.target,
                login_target=login_target,
                server_pid=auth.pid,
                shape=plan.small,
                in_flight=plan.logins_in_flight,
                checks=checks,
            )
            bound_s = CLIENT_BOUND_S + 2 * (plan.warm_up_s + plan.logins_s)
            stage.results.logins.append(
                await _ask(stage, "logins", job, answer_type=LoginLoad, timeout_s=bound_s)
            )
            stage.show.step_done()


async def _ask(
    stage: Stage,
    kind: str,
    job: object,
    *,
    answer_type: type[T],
    timeout_s: float,
    environ: Mapping[str, str] | None = None,
) -> T:
    return await stage.processes.ask(
        *(CLIENT, kind, msgspec.json.encode(job).decode()),
        answer_type=answer_type,
        environ=environ,
        timeout_s=timeout_s,
    )


RUN: Mapping[Section, Callable[[Stage], Awaitable[None]]] = {
    "miss": miss,
    "hit": hit,
    "mixed": mixed,
    "revocation": revocation,
    "scale": scale,
    "tracing": tracing,
    "logins": logins,
}
