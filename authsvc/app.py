"""The root of Auth: reads the settings and wires store, service, gRPC and REST together."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from authsvc.access_v1 import AccessGrpc
from authsvc.backend import Backend, open_backend
from authsvc.demo import commands_to_try, load_demo, make_demo_admin
from authsvc.door import open_door
from authsvc.follower import follow
from authsvc.grpc_api import AuthGrpc
from authsvc.key_rotation import keep_rotating
from authsvc.refusals import Refusals, noting
from authsvc.rest_app import make_rest_app
from authsvc.settings import PREFIX, AuthSettings
from authsvc.trimming import trimming_changes, trimming_sessions
from authsvc.wire import open_codec
from svckit.bind import bind, bound_address
from svckit.database_errors import naming, start_failures
from svckit.database_tracing import trace_queries
from svckit.grpc_server import serve_grpc
from svckit.http_server import serve_http
from svckit.interceptors import server_interceptors
from svckit.lease_clock import lease_clock
from svckit.probes import log_readiness, probe_readiness
from svckit.service import Service, Serving
from svckit.settings import read_settings
from svckit.sqlite import is_readable_by_others
from svckit.telemetry import Telemetry, open_telemetry

__all__ = ["create_service"]


def create_service(environ: Mapping[str, str]) -> Service:
    """Raises SettingsError."""
    return AuthApp(read_settings(AuthSettings, PREFIX, environ), environ)


class AuthApp:
    name = "auth"

    def __init__(self, settings: AuthSettings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Serving]:
        """What is entered first is left last: the wires go before what they need."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            grpc_socket = stack.enter_context(bind(settings.grpc_bind, variable="AUTH_GRPC_BIND"))
            http_socket = stack.enter_context(bind(settings.http_bind, variable="AUTH_HTTP_BIND"))
            grpc_address, http_address = bound_address(grpc_socket), bound_address(http_socket)
            telemetry = await stack.enter_async_context(open_telemetry(self.name, self._environ))
            backend = await stack.enter_async_context(open_backend(settings))
            for engine in (backend.engine, backend.watching_engine):
                trace_queries(engine.sync_engine, telemetry.tracing.tracer)
            readiness = await stack.enter_async_context(
                probe_readiness({"store": backend.watching_store.ping})
            )
            log_readiness(readiness, telemetry.log)
            follower = await stack.enter_async_context(
                follow(
                    backend.watching_store,
                    backend.knowledge,
                    clock=lease_clock,
                    report_bug=telemetry.report_bug,
                )
            )
            await stack.enter_async_context(
                keep_rotating(backend.rotation, report_bug=telemetry.report_bug)
            )
            _warn_of_exposed_keys(settings, backend, telemetry)
            await stack.enter_async_context(
                trimming_changes(
                    backend.store, wall_clock=time.time, report_bug=telemetry.report_bug
                )
            )
            await stack.enter_async_context(
                trimming_sessions(backend.sessions, report_bug=telemetry.report_bug)
            )
            codec = open_codec()
            clock = asyncio.get_running_loop().time
            refusals = Refusals(backend.administration, clock=clock)
            await stack.enter_async_context(noting(refusals, report_bug=telemetry.report_bug))
            door = open_door(settings, telemetry.log, refusals.note_caller)
            interceptors = server_interceptors(telemetry, default_timeout_s=settings.call_timeout_s)
            access = AccessGrpc(
                backend.service,
                follower=follower,
                log=backend.knowledge.log,
                interceptors=interceptors,
            )
            await stack.enter_async_context(
                serve_grpc(
                    [AuthGrpc(backend.service), access],
                    listener=grpc_socket,
                    codec=codec,
                    # Not on each question of a stream: a stream is let in once.
                    interceptors=(*interceptors, *door.interceptors),
                    readiness=readiness,
                    drain_s=settings.drain_s,
                    tls=door.grpc_tls,
                    has_reflection=settings.has_reflection,
                )
            )
            await stack.enter_async_context(
                serve_http(
                    make_rest_app(
                        backend,
                        door=door,
                        refusals=refusals,
                        grpc_address=grpc_address,
                        telemetry=telemetry,
                        readiness=readiness,
                        timeout_s=settings.call_timeout_s,
                    ),
                    listener=http_socket,
                    drain_s=settings.drain_s,
                    tls=door.http_tls,
                )
            )
            stack.callback(readiness.drain)  # last in, first out: not ready before anything closes
            url = f"{door.http_scheme}://{http_address}"
            yield Serving(
                endpoints={"gRPC": str(grpc_address), "REST": url},
                notes=await _demo_notes(settings, backend, url=url),
            )


def _warn_of_exposed_keys(settings: AuthSettings, backend: Backend, telemetry: Telemetry) -> None:
    if settings.key_secret is None and is_readable_by_others(backend.engine.url):
        telemetry.log.warning(
            "signing_keys_exposed",
            advice="users of this machine can read the database file, and make tokens with what is "
            "in it: set its mode to 600, or AUTH_KEY_SECRET",
        )


async def _demo_notes(settings: AuthSettings, backend: Backend, *, url: str) -> tuple[str, ...]:
    if not settings.demo:
        return ()
    with naming("AUTH_DATABASE_URL"), start_failures(backend.engine.url):
        is_loaded = await load_demo(backend)
        admin = await make_demo_admin(backend) if is_loaded else ()
        return (*admin, *await commands_to_try(backend, settings, url=url))
