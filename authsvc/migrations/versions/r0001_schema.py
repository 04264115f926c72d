"""The first schema: organizations, their locals, roles and users, and the signing keys."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        *_status(),
    )
    op.create_table(
        "locals",
        sa.Column("id", KEY, primary_key=True),
        _organization(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        *_status(),
        sa.UniqueConstraint("id", "organization_id"),
    )
    op.create_table(
        "roles",
        sa.Column("id", KEY, primary_key=True),
        _organization(),
        sa.Column("name", sa.Text, nullable=False),
        sa.UniqueConstraint("id", "organization_id"),
    )
    op.create_table(
        "role_permissions",
        sa.Column("role_id", KEY, sa.ForeignKey("roles.id"), primary_key=True),
        sa.Column("permission", KEY, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "users",
        sa.Column("id", KEY, primary_key=True),
        _organization(),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("email_folded", KEY, nullable=False),
        *_status(),
        sa.UniqueConstraint("id", "organization_id"),
        sa.UniqueConstraint("email_folded", "organization_id"),
    )
    _create_held("user_roles", "roles", "role_id")
    _create_held("user_locals", "locals", "local_id")
    op.create_table(
        "signing_keys",
        sa.Column("kid", KEY, primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("private_key", sa.Text, nullable=False),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def downgrade() -> None:
    for table in (
        "signing_keys",
        "user_locals",
        "user_roles",
        "users",
        "role_permissions",
        "roles",
        "locals",
        "organizations",
    ):
        op.drop_table(table)


def _organization() -> sa.Column[str]:
    return sa.Column("organization_id", KEY, sa.ForeignKey("organizations.id"), nullable=False)


def _status() -> tuple[sa.Column[str], sa.CheckConstraint]:
    return (
        sa.Column("status", sa.Text, nullable=False),
        sa.CheckConstraint("status IN ('active', 'inactive')", name="status"),
    )


def _create_held(name: str, table: str, held_id: str) -> None:
    op.create_table(
        name,
        sa.Column("user_id", KEY, primary_key=True),
        sa.Column(held_id, KEY, primary_key=True),
        sa.Column("organization_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id", "organization_id"], ["users.id", "users.organization_id"]
        ),
        sa.ForeignKeyConstraint(
            [held_id, "organization_id"], [f"{table}.id", f"{table}.organization_id"]
        ),
        sqlite_with_rowid=False,
    )
