"""Where a bench takes place: the databases, the servers on both sides, and who asks them."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bench.dataset import build_sqlite, sqlite_url
from bench.jobs import BaselineServerJob, Load, LoadJob
from bench.plan import Plan
from bench.postgresql import PostgreSQL
from bench.processes import Processes, Server, free_port
from bench.progress import Show
from bench.results import BASELINE, Build, Results, Series
from bench.shape import Shape
from bench.stubs import compile_stubs

__all__ = ["Stage"]

CLIENT_BOUND_S = 60.0  # beside the time that it measures


@dataclass(slots=True, kw_only=True)
class Stage:
    """One run: what it is to do, where it may write, and what it found so far."""

    plan: Plan
    folder: Path
    show: Show
    results: Results
    processes: Processes
    postgresql: PostgreSQL | None = None
    _urls: dict[Shape, str] = field(default_factory=dict)

    @asynccontextmanager
    async def baseline(self) -> AsyncIterator[Server]:
        self.stubs.mkdir(exist_ok=True)
        compile_stubs(self.stubs)
        port = free_port()
        job = BaselineServerJob(port=port, stubs=str(self.stubs), shape=self.plan.small)
        async with self.processes.serve(
            "bench.baseline_server", _json(job), environ={}, port=port
        ) as server:
            yield server

    @asynccontextmanager
    async def auth(
        self, shape: Shape, *, environ: Mapping[str, str] | None = None
    ) -> AsyncIterator[Server]:
        """Auth with everything on, as it is without settings, on a database of this shape."""
        port = free_port()
        own = {
            "AUTH_GRPC_BIND": f"127.0.0.1:{port}",
            "AUTH_HTTP_BIND": f"127.0.0.1:{free_port()}",
            "AUTH_DATABASE_URL": await self.database(shape),
        }
        async with self.processes.serve(
            "authsvc", environ={**own, **(environ or {})}, port=port
        ) as server:
            yield server

    def sink(self, port: int) -> AbstractAsyncContextManager[Server]:
        return self.processes.serve("bench.otlp_sink", str(port), environ={}, port=port)

    async def database(self, shape: Shape) -> str:
        """Its URL. Built when it is first asked for, and used again from then on."""
        if shape in self._urls:
            return self._urls[shape]
        path = self.folder / f"auth-{shape.assignments}.db"
        began = time.perf_counter()
        with self.show.building(f"{shape.assignments:,} assignments", shape.organizations) as done:
            if self.postgresql:
                url = await self.postgresql.build(shape, done)
            else:
                await build_sqlite(path, shape, done)
                url = sqlite_url(path)
        self._urls[shape] = url
        self.results.builds.append(
            Build(
                assignments=shape.assignments,
                took_s=time.perf_counter() - began,
                size_mb=None if self.postgresql else path.stat().st_size / 1e6,
            )
        )
        return url

    async def load(
        self, series: Series, server: Server, *, environ: Mapping[str, str] | None = None
    ) -> None:
        """One more repeat of the series, by a client that is a fresh process."""
        plan = self.plan
        job = LoadJob(
            target=server.target,
            server_pid=server.pid,
            shape=plan.small,
            mix=series.mix,
            form=series.form,
            in_flight=series.in_flight,
            warm_up_s=plan.warm_up_s,
            duration_s=plan.duration_s,
            stubs=str(self.stubs),
        )
        client = "bench.baseline_client" if series.system == BASELINE else "bench.portero_client"
        load = await self.processes.ask(
            *(client, "load", _json(job)),
            answer_type=Load,
            environ=environ,
            timeout_s=plan.warm_up_s + plan.duration_s + CLIENT_BOUND_S,
        )
        series.loads.append(load)

    @property
    def stubs(self) -> Path:
        return self.folder / "stubs"


def _json(job: object) -> str:
    return msgspec.json.encode(job).decode()
