"""Indexes for those who administer: an organization's own, and who holds a permission."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("locals", "roles", "users"):
        op.create_index(None, table, ["organization_id", "id"])
    op.create_index(None, "role_permissions", ["permission", "role_id"])
    op.create_index(None, "user_roles", ["role_id", "user_id"])


def downgrade() -> None:
    op.drop_index("ix_user_roles_role_id_user_id", "user_roles")
    op.drop_index("ix_role_permissions_permission_role_id", "role_permissions")
    for table in ("users", "roles", "locals"):
        op.drop_index(f"ix_{table}_organization_id_id", table)
