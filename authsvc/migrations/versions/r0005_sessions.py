"""Sessions, the passwords that start them, and the failures that slow guessing down."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column(
        "users",
        sa.Column("tokens_valid_from", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.create_table(
        "passwords",
        sa.Column("user_id", KEY, sa.ForeignKey("users.id"), primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("known_networks", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", KEY, primary_key=True),
        sa.Column("user_id", KEY, nullable=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("family_hash", KEY, nullable=False),
        sa.Column("refresh_hash", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("refreshed_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("family_hash"),
        sa.ForeignKeyConstraint(
            ["user_id", "organization_id"], ["users.id", "users.organization_id"]
        ),
    )
    op.create_index(None, "sessions", ["user_id", "id"])
    op.create_index(None, "sessions", ["expires_at"])
    op.create_table(
        "login_failures",
        sa.Column("key", KEY, primary_key=True),
        sa.Column("failures", sa.BigInteger, nullable=False),
        sa.Column("counted_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "login_failures", ["counted_at"])


def downgrade() -> None:
    for table in ("login_failures", "sessions", "passwords"):
        op.drop_table(table)
    op.drop_column("users", "tokens_valid_from")
