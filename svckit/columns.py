"""Column types that mean the same in every database."""

from sqlalchemy import Text

__all__ = ["KEY"]

# Bytewise, as SQLite compares: a list has one order on every server, whatever its locale.
KEY = Text().with_variant(Text(collation="C"), "postgresql")
