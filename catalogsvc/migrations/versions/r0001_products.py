"""The first schema: products, keyed by organization and local."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "products",
        sa.Column("organization_id", KEY, primary_key=True),
        sa.Column("local_id", KEY, primary_key=True),
        sa.Column("id", KEY, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sku", KEY, nullable=False),
        sa.Column("price_minor", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.UniqueConstraint("organization_id", "local_id", "sku", name="uq_products_sku"),
        sqlite_with_rowid=False,
    )
