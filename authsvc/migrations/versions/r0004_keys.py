"""The schedule of signing keys: from when each one signs, and how long its tokens may live."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# The longest that tokens could be told to live before: nobody noted what they were told.
TTL_S_MAX = "86400"


def upgrade() -> None:
    # The defaults are for the rows that are there, and for a process of the last version that
    # makes the first key meanwhile.
    op.add_column(
        "signing_keys",
        sa.Column("signs_from", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.add_column(
        "signing_keys",
        sa.Column("token_ttl_s", sa.BigInteger, nullable=False, server_default=TTL_S_MAX),
    )
    op.execute("UPDATE signing_keys SET signs_from = created_at")


def downgrade() -> None:
    op.drop_column("signing_keys", "token_ttl_s")
    op.drop_column("signing_keys", "signs_from")
