"""Catalog's settings: environment variables with the prefix `CATALOG_`. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalogsvc.authz import AuthClientSettings
from svckit.address import Address
from svckit.settings import Seconds, read_settings

__all__ = ["CatalogSettings", "PREFIX", "read_auth_settings"]

PREFIX = "CATALOG_"
AUTH_PREFIX = "CATALOG_AUTH_"


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogSettings:
    """Field `http_bind` is `CATALOG_HTTP_BIND`, and so on.

    The port asks for a bearer token, so unlike Auth's it may be bound beyond loopback.
    """

    http_bind: Address = Address("127.0.0.1", 8002)
    # A password may be in it.
    database_url: str = field(default="sqlite+aiosqlite:///var/catalog.db", repr=False)

    call_timeout_s: Seconds = 5.0
    drain_s: Seconds = 5.0

    # Loads the demo products into an empty database.
    demo: bool = False


def read_auth_settings(environ: Mapping[str, str]) -> AuthClientSettings:
    """Where Auth is, from `CATALOG_AUTH_*`; without any, on this machine. Raises SettingsError."""
    scheme = "https" if environ.get("CATALOG_AUTH_TLS_CA", "").strip() else "http"
    here = {
        "CATALOG_AUTH_GRPC_TARGETS": "127.0.0.1:50051",
        "CATALOG_AUTH_REST_URLS": f"{scheme}://127.0.0.1:8001",
    }
    # Both or none: who named one Auth must not fall back to whatever listens on this machine.
    if not any(environ.get(variable, "").strip() for variable in here):
        environ = {**environ, **here}
    return read_settings(AuthClientSettings, AUTH_PREFIX, environ)
