"""The change feed: a revision for every write that changes something, and what each one touched.

And an index to list the users of a local by.
"""

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    feed = op.create_table(
        "feed",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("database_id", sa.Text, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("trimmed_to", sa.BigInteger, nullable=False),
        sa.CheckConstraint("id = 1", name="one"),
    )
    # It begins at 1: to a client, revision 0 is that of a server which tells none.
    row = {"id": 1, "database_id": uuid.uuid4().hex, "revision": 1, "trimmed_to": 1}
    op.bulk_insert(feed, [row])
    op.create_table(
        "changes",
        sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("organization_id", KEY, nullable=False),
        sa.Column("user_id", KEY),
        sa.Column("local_id", KEY),
        sa.Column("written_at", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index(None, "user_locals", ["local_id", "user_id"])


def downgrade() -> None:
    op.drop_index("ix_user_locals_local_id_user_id", "user_locals")
    op.drop_table("changes")
    op.drop_table("feed")
