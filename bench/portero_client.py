"""Portero's client as Catalog runs it: uvloop, interceptors, metrics, tracing as `OTEL_*` say.

`python -m bench.portero_client KIND JOB`: does one job and prints what came of it, as JSON.
"""

import gc
import os
import random
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Any

import msgspec
import uvloop

from bench import hits, logins, revocations
from bench.jobs import (
    HitJob,
    HitLoad,
    Load,
    LoadJob,
    LoginJob,
    LoginLoad,
    RevocationJob,
    RevocationLoad,
    SequenceJob,
    SequenceLoad,
)
from bench.mix import COLD_CACHE_ENTRIES_MAX, hot_questions, questions_of
from bench.shape import Question
from bench.statistics import latency
from bench.workloads import Ask, Tally, in_sequence, run_load
from catalogsvc.auth_metrics import auth_samples
from catalogsvc.authz import AuthClient, AuthClientSettings, AuthUnavailable, LocalQuery, Source
from svckit.interceptors import client_interceptors
from svckit.logs import configure_logs
from svckit.metrics import register_snapshot
from svckit.telemetry import Telemetry, open_telemetry

__all__ = ["main"]

SEED = 11
SET_MAX = 2_000


async def load(job: LoadJob) -> Load:
    settings = _uncached(job.target)
    if job.mix == "mixed":
        settings = AuthClientSettings(
            grpc_targets=(job.target,), cache_entries_max=COLD_CACHE_ENTRIES_MAX
        )
    questions = questions_of(job.mix, job.shape)
    async with open_client(settings) as client:
        if job.mix == "mixed":
            # What is asked again and again has been asked before.
            await client.validate_locals([_query(each) for each in hot_questions(job.shape)])
        if job.form == "each":
            tally: Tally[Question] = Tally()
            return await run_load(
                ask_each(client, tally),
                questions,
                tally,
                job,
                failures=AuthUnavailable,
                named=_type_name,
            )
        tally_of_sets: Tally[list[Question]] = Tally()
        return await run_load(
            ask_set(client, tally_of_sets),
            _sets(questions, job.in_flight),
            tally_of_sets,
            job,
            failures=AuthUnavailable,
            named=_type_name,
        )


def ask_each(client: AuthClient, tally: Tally[Question]) -> Ask[Question]:
    async def ask(question: Question) -> None:
        user_id, organization_id, local_id, is_allowed = question
        decision = await client.validate_local(
            user_id=user_id, organization_id=organization_id, local_id=local_id
        )
        if decision.is_valid is not is_allowed:
            tally.wrong += 1
        if decision.source is Source.CACHE:
            tally.from_cache += 1

    return ask


def ask_set(client: AuthClient, tally: Tally[list[Question]]) -> Ask[list[Question]]:
    async def ask(questions: list[Question]) -> None:
        decisions = await client.validate_locals(
            [
                LocalQuery(user_id=user_id, organization_id=organization_id, local_id=local_id)
                for user_id, organization_id, local_id, _ in questions
            ]
        )
        for decision, question in zip(decisions, questions, strict=True):
            if decision.is_valid is not question[3]:
                tally.wrong += 1
            if decision.source is Source.CACHE:
                tally.from_cache += 1

    return ask


def _sets(questions: Iterator[Question], size: int) -> Iterator[list[Question]]:
    while True:
        yield list(islice(questions, size))


async def sequence(job: SequenceJob) -> SequenceLoad:
    """Nobody is asked about twice while it is cold: Auth knows nothing of them yet."""
    shape, chance = job.shape, random.Random(SEED)  # noqa: S311 # an order, not a secret
    chosen = chance.sample(range(shape.users), job.cold_questions)
    working_set = chance.sample(range(shape.users), min(job.working_set_users, shape.users))
    tally: Tally[Question] = Tally()
    async with open_client(_uncached(job.target)) as client:
        ask = ask_each(client, tally)
        # The connection and the code warm up on someone nobody knows.
        for _ in range(100):
            await client.validate_local(user_id="-", organization_id="-", local_id="-")
        cold = await in_sequence(ask, iter([shape.question(user, 0) for user in chosen]))
        # Auth has answered all of it before, so that what is measured next costs it no query.
        known = [
            _query(shape.question(user, nth))
            for user in working_set
            for nth in range(shape.held_each)
        ]
        for first in range(0, len(known), SET_MAX):
            await client.validate_locals(known[first : first + SET_MAX])
        again = [
            shape.question(chance.choice(working_set), chance.randrange(shape.held_each))
            for _ in range(job.warm_questions)
        ]
        warm = await in_sequence(ask, iter(again))
    return SequenceLoad(cold=latency(cold), warm=latency(warm), wrong=tally.wrong)


async def hit(job: HitJob) -> list[HitLoad]:
    async with open_client(AuthClientSettings(grpc_targets=(job.target,))) as client:
        return await hits.measure(client, job)


async def revocation(job: RevocationJob) -> RevocationLoad:
    settings = AuthClientSettings(grpc_targets=(job.target,))
    if job.is_auth_stopped:
        # Asked again soon after it goes on, not only when the breaker's minute has passed.
        settings = replace(settings, breaker_cooldown_s=0.5)
    return await revocations.measure(lambda: open_client(settings), settings, job)


async def log_in(job: LoginJob) -> LoginLoad:
    async with open_client(_uncached(job.target)) as client:
        return await logins.measure(partial(ask_each, client), job)


def _type_name(error: Exception) -> str:
    return type(error).__name__


def _uncached(target: str) -> AuthClientSettings:
    return AuthClientSettings(grpc_targets=(target,), max_staleness_s=0)


def _query(question: Question) -> LocalQuery:
    user_id, organization_id, local_id, _ = question
    return LocalQuery(user_id=user_id, organization_id=organization_id, local_id=local_id)


@asynccontextmanager
async def open_client(settings: AuthClientSettings) -> AsyncIterator[AuthClient]:
    async with (
        open_telemetry("catalog", os.environ) as telemetry,
        AuthClient(
            settings, interceptors=client_interceptors(telemetry), log=telemetry.log
        ) as client,
    ):
        _export(client, telemetry)
        # As svckit does once a service is up.
        gc.collect()
        gc.freeze()
        yield client


def _export(client: AuthClient, telemetry: Telemetry) -> None:
    register_snapshot(telemetry.metrics.registry, lambda: auth_samples(client.snapshot()))


KINDS: dict[str, tuple[type[Any], Callable[[Any], Awaitable[object]]]] = {
    "load": (LoadJob, load),
    "hit": (HitJob, hit),
    "sequence": (SequenceJob, sequence),
    "revocation": (RevocationJob, revocation),
    "logins": (LoginJob, log_in),
}


async def _do(kind: str, job: str) -> None:
    job_type, work = KINDS[kind]
    print(msgspec.json.encode(await work(msgspec.json.decode(job, type=job_type))).decode())


def main() -> None:
    configure_logs(os.environ)
    uvloop.run(_do(*sys.argv[1:]))


if __name__ == "__main__":
    main()
