"""The history of Auth's schema. A new revision in `versions/` moves `head` along with it."""

from pathlib import Path

from svckit.migrations import Migrations

__all__ = ["MIGRATIONS"]

MIGRATIONS = Migrations(
    directory=Path(__file__).parent, head="0006", version_table="auth_alembic_version"
)
