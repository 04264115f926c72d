"""Auth's tables. The database itself keeps organizations apart.

A user's roles and locals carry the user's organization in their foreign keys, so no row can join
two organizations. The hot questions are answered by the primary keys alone.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from svckit.columns import KEY

__all__ = [
    "metadata",
    "organizations",
    "locals_",
    "roles",
    "role_permissions",
    "users",
    "user_roles",
    "user_locals",
    "signing_keys",
    "passwords",
    "sessions",
    "login_failures",
    "feed",
    "changes",
    "audit",
]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


organizations = Table(
    "organizations",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    CheckConstraint("status IN ('active', 'inactive')", name="status"),
)

locals_ = Table(
    "locals",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("organization_id", KEY, ForeignKey("organizations.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("status", Text, nullable=False),
    CheckConstraint("status IN ('active', 'inactive')", name="status"),
    UniqueConstraint("id", "organization_id"),
)

roles = Table(
    "roles",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("organization_id", KEY, ForeignKey("organizations.id"), nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("id", "organization_id"),
)

role_permissions = Table(
    "role_permissions",
    metadata,
    Column("role_id", KEY, ForeignKey("roles.id"), primary_key=True),
    Column("permission", KEY, primary_key=True),
    sqlite_with_rowid=False,
)

users = Table(
    "users",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("organization_id", KEY, ForeignKey("organizations.id"), nullable=False),
    Column("email", Text, nullable=False),
    # Python's casefold: neither database folds beyond ASCII the way the other does.
    Column("email_folded", KEY, nullable=False),
    Column("status", Text, nullable=False),
    # Tokens that were issued before, in whole seconds since 1970, are worth nothing.
    Column("tokens_valid_from", BigInteger, nullable=False, server_default="0"),
    CheckConstraint("status IN ('active', 'inactive')", name="status"),
    UniqueConstraint("id", "organization_id"),
    UniqueConstraint("email_folded", "organization_id"),
)


def _held(name: str, table: str, held_id: str) -> Table:
    """What users hold: rows of `table`, of their own organization."""
    return Table(
        name,
        metadata,
        Column("user_id", KEY, primary_key=True),
        Column(held_id, KEY, primary_key=True),
        Column("organization_id", KEY, nullable=False),
        ForeignKeyConstraint(["user_id", "organization_id"], ["users.id", "users.organization_id"]),
        ForeignKeyConstraint(
            [held_id, "organization_id"], [f"{table}.id", f"{table}.organization_id"]
        ),
        sqlite_with_rowid=False,
    )


user_roles = _held("user_roles", "roles", "role_id")
user_locals = _held("user_locals", "locals", "local_id")
# The users of a local, in their order.
Index(None, user_locals.c.local_id, user_locals.c.user_id)
# Whether anyone still holds a permission is asked by each write that could end it.
Index(None, role_permissions.c.permission, role_permissions.c.role_id)
Index(None, user_roles.c.role_id, user_roles.c.user_id)
# An organization's own, in their order.
for table in (locals_, roles, users):
    Index(None, table.c.organization_id, table.c.id)

signing_keys = Table(
    "signing_keys",
    metadata,
    Column("kid", KEY, primary_key=True),
    Column("algorithm", Text, nullable=False),
    Column("private_key", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("signs_from", BigInteger, nullable=False),
    Column("token_ttl_s", BigInteger, nullable=False),
)

passwords = Table(
    "passwords",
    metadata,
    Column("user_id", KEY, ForeignKey("users.id"), primary_key=True),
    # With its salt and parameters, in the PHC string format.
    Column("hash", Text, nullable=False),
    # In whole seconds since 1970.
    Column("changed_at", BigInteger, nullable=False),
    # A JSON list of hashes: the networks this password has been right from.
    Column("known_networks", Text, nullable=False),
)

# Those that live: one that has ended is no row.
sessions = Table(
    "sessions",
    metadata,
    Column("id", KEY, primary_key=True),
    Column("user_id", KEY, nullable=False),
    Column("organization_id", KEY, nullable=False),
    # SHA-256 of the two halves of the refresh token, of which the second one changes with each use.
    Column("family_hash", KEY, nullable=False),
    Column("refresh_hash", Text, nullable=False),
    # All in whole seconds since 1970.
    Column("created_at", BigInteger, nullable=False),
    Column("refreshed_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    UniqueConstraint("family_hash"),
    ForeignKeyConstraint(["user_id", "organization_id"], ["users.id", "users.organization_id"]),
)
Index(None, sessions.c.user_id, sessions.c.id)
Index(None, sessions.c.expires_at)

# `key` is a hash: whoever reads this learns nobody's email or address.
login_failures = Table(
    "login_failures",
    metadata,
    Column("key", KEY, primary_key=True),
    Column("failures", BigInteger, nullable=False),
    # In whole seconds since 1970.
    Column("counted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
Index(None, login_failures.c.counted_at)

# One row, which every write that changes something passes through: so revisions follow commits.
feed = Table(
    "feed",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Made with the database, for good: revisions of two databases have nothing to do with another.
    Column("database_id", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    # Changes up to this revision may be gone.
    Column("trimmed_to", BigInteger, nullable=False),
    CheckConstraint("id = 1", name="one"),
)

# What each revision touched; no user or no local: all of the organization's.
changes = Table(
    "changes",
    metadata,
    Column("revision", BigInteger, primary_key=True, autoincrement=False),
    Column("n", Integer, primary_key=True, autoincrement=False),
    Column("organization_id", KEY, nullable=False),
    Column("user_id", KEY),
    Column("local_id", KEY),
    # In whole seconds since 1970.
    Column("written_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Added to, and never changed: triggers of migration 0003 see to it.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    # In whole seconds since 1970.
    Column("written_at", BigInteger, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    # Whose business it is; no foreign key, for it may be an id that somebody made up.
    Column("organization_id", KEY),
    Column("target", Text, nullable=False),
    # JSON objects.
    Column("before", Text),
    Column("after", Text),
    Column("revision", BigInteger),
    Column("trace_id", Text, nullable=False),
)
# An organization's own, newest first.
Index(None, audit.c.organization_id, audit.c.id)
