"""The seed's client, as it writes it: grpc.aio, one unary call a check, five seconds for each.

On asyncio's own event loop, as the server. It differs in one thing: the seed turns an error into a
denial, here it is counted.
"""

import asyncio
import sys
from collections.abc import Iterator

import grpc
import msgspec
from prometheus_client import CollectorRegistry, Histogram

from bench.jobs import Load, LoadJob
from bench.mix import questions_of
from bench.shape import Question
from bench.stubs import load_stubs
from bench.workloads import Tally, run_load

__all__ = ["main"]

TIMEOUT_S = 5.0
OPTIONS = [
    ("grpc.lb_policy_name", "round_robin"),
    ("grpc.keepalive_time_ms", 10000),
    ("grpc.keepalive_timeout_ms", 5000),
    ("grpc.http2.max_pings_without_data", 0),
]


async def load(job: LoadJob) -> Load:
    assert job.form == "each", "the seed has no call for a set"
    stubs = load_stubs(job.stubs)
    duration = Histogram(
        "grpc_request_duration", "Seconds.", ("service", "method"), registry=CollectorRegistry()
    )
    tally: Tally[Question] = Tally()
    async with grpc.aio.insecure_channel(job.target, options=OPTIONS) as channel:
        stub = stubs.services.AuthServiceStub(channel)

        async def ask(question: Question) -> None:
            user_id, organization_id, local_id, is_allowed = question
            request = stubs.messages.ValidateLocalRequest(
                user_id=user_id, organization_id=organization_id, local_id=local_id
            )
            response = await stub.ValidateLocal(request, timeout=TIMEOUT_S)
            duration.labels(service="auth", method="ValidateLocal").observe(0.005)
            if response.is_valid is not is_allowed:
                tally.wrong += 1

        questions: Iterator[Question] = questions_of(job.mix, job.shape)
        return await run_load(
            ask, questions, tally, job, failures=grpc.aio.AioRpcError, named=_code
        )


def _code(error: grpc.aio.AioRpcError) -> str:
    code: str = error.code().name
    return code


def main() -> None:
    job = msgspec.json.decode(sys.argv[2], type=LoadJob)
    print(msgspec.json.encode(asyncio.run(load(job))).decode())


if __name__ == "__main__":
    main()
