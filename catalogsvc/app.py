"""The root of Catalog: reads the settings and wires store, AuthClient and REST together."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from starlette.types import ASGIApp

from catalogsvc.auth_metrics import auth_samples
from catalogsvc.authz import AuthClient, AuthClientSettings
from catalogsvc.demo import load_demo
from catalogsvc.entrance import AUTH_SHARE, Entrance, telling_source
from catalogsvc.migrations import MIGRATIONS
from catalogsvc.rest_api import CatalogRest
from catalogsvc.service import CatalogService
from catalogsvc.settings import PREFIX, CatalogSettings, read_auth_settings
from catalogsvc.store import ProductStore
from svckit.bind import bind, bound_address
from svckit.database import open_database
from svckit.database_errors import naming, start_failures
from svckit.database_tracing import trace_queries
from svckit.http_observe import ObserveHttp
from svckit.http_server import serve_http
from svckit.interceptors import client_interceptors
from svckit.metrics import register_snapshot
from svckit.migrations import migrate
from svckit.probes import log_readiness, probe_readiness
from svckit.readiness import Readiness
from svckit.service import Service, Serving
from svckit.settings import read_settings
from svckit.telemetry import Telemetry, open_telemetry
from svckit.tls import TlsError
from svckit.web import operated_app

__all__ = ["create_service"]


def create_service(environ: Mapping[str, str]) -> Service:
    """Raises SettingsError."""
    settings = read_settings(CatalogSettings, PREFIX, environ)
    return CatalogApp(settings, read_auth_settings(environ), environ)


class CatalogApp:
    name = "catalog"

    def __init__(
        self,
        settings: CatalogSettings,
        auth_settings: AuthClientSettings,
        environ: Mapping[str, str],
    ) -> None:
        self._settings = settings
        self._auth_settings = auth_settings
        self._environ = environ

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[Serving]:
        """What is entered first is left last: the wire goes before what it needs."""
        settings = self._settings
        async with AsyncExitStack() as stack:
            listener = stack.enter_context(bind(settings.http_bind, variable="CATALOG_HTTP_BIND"))
            address = bound_address(listener)
            telemetry = await stack.enter_async_context(open_telemetry(self.name, self._environ))
            store = await stack.enter_async_context(_open_store(settings, telemetry))
            # Our own store, and not Auth: were it a probe, one outage of Auth would take every
            # Catalog out of rotation, and callers would get a bare refusal instead of the reason.
            readiness = await stack.enter_async_context(probe_readiness({"store": store.ping}))
            log_readiness(readiness, telemetry.log)
            client = await stack.enter_async_context(
                _open_client(
                    _within(self._auth_settings, settings.call_timeout_s * AUTH_SHARE), telemetry
                )
            )
            register_snapshot(telemetry.metrics.registry, lambda: auth_samples(client.snapshot()))
            rest = CatalogRest(
                CatalogService(store, new_id=lambda: str(uuid.uuid4())),
                Entrance(client, timeout_s=settings.call_timeout_s),
            )
            await stack.enter_async_context(
                serve_http(
                    _app(rest, settings, telemetry, readiness),
                    listener=listener,
                    drain_s=settings.drain_s,
                )
            )
            stack.callback(readiness.drain)  # last in, first out: not ready before anything closes
            yield Serving(endpoints={"REST": f"http://{address}"})


def _open_client(settings: AuthClientSettings, telemetry: Telemetry) -> AuthClient:
    """Raises TlsError with the names of the settings."""
    try:
        return AuthClient(settings, interceptors=client_interceptors(telemetry), log=telemetry.log)
    except TlsError as exc:
        raise TlsError(f"CATALOG_AUTH_TLS_CA, _CERT, _KEY: {exc}") from exc


def _within(settings: AuthClientSettings, timeout_s: float) -> AuthClientSettings:
    """The client plans its attempts by the time that calls really have."""
    return replace(settings, timeout_s=min(settings.timeout_s, timeout_s))


@asynccontextmanager
async def _open_store(
    settings: CatalogSettings, telemetry: Telemetry
) -> AsyncIterator[ProductStore]:
    """Migrates first. Raises DatabaseError."""
    with naming("CATALOG_DATABASE_URL"):
        await migrate(settings.database_url, MIGRATIONS)
        engine = open_database(settings.database_url)
    try:
        trace_queries(engine.sync_engine, telemetry.tracing.tracer)
        store = ProductStore(engine)
        if settings.demo:
            with naming("CATALOG_DATABASE_URL"), start_failures(engine.url):
                await load_demo(store)
        yield store
    finally:
        await engine.dispose()


def _app(
    rest: CatalogRest, settings: CatalogSettings, telemetry: Telemetry, readiness: Readiness
) -> ASGIApp:
    app = operated_app(
        rest.endpoints(),
        title="Portero Catalog",
        telemetry=telemetry,
        readiness=readiness,
        timeout_s=settings.call_timeout_s,
    )
    return ObserveHttp(telling_source(app), telemetry)
