"""Settings for real processes: free ports, databases in the test's own folder."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes import free_port

__all__ = ["Place", "place"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where Auth and Catalog of one test live."""

    folder: Path
    grpc_port: int
    auth_port: int
    catalog_port: int

    @property
    def environ(self) -> dict[str, str]:
        return {
            "AUTH_GRPC_BIND": f"127.0.0.1:{self.grpc_port}",
            "AUTH_HTTP_BIND": f"127.0.0.1:{self.auth_port}",
            "AUTH_DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/auth.db",
            "AUTH_DEMO": "yes",
            "AUTH_DEMO_CATALOG_URL": f"http://127.0.0.1:{self.catalog_port}",
            "CATALOG_HTTP_BIND": f"127.0.0.1:{self.catalog_port}",
            "CATALOG_DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/catalog.db",
            "CATALOG_DEMO": "yes",
            "CATALOG_AUTH_GRPC_TARGETS": f"127.0.0.1:{self.grpc_port}",
            "CATALOG_AUTH_REST_URLS": f"http://127.0.0.1:{self.auth_port}",
        }

    @property
    def ports(self) -> tuple[int, ...]:
        return (self.grpc_port, self.auth_port, self.catalog_port)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(
        folder=tmp_path,
        grpc_port=free_port(),
        auth_port=free_port(),
        catalog_port=free_port(),
    )
