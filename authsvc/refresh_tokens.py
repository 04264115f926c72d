"""Refresh tokens: `prt_<family>.<generation>`, of which the store knows hashes only. Pure.

The family stays the same for the whole session, the generation is new with each use. So a token
that was used before is recognized, however long ago that was, by two hashes a session.
"""

import re
from dataclasses import dataclass, field
from hashlib import sha256

from svckit.errors import Unauthenticated

__all__ = ["RefreshToken", "REFRESH_TOKEN_REFUSED", "SECRET_BYTES"]

SECRET_BYTES = 24  # 192 bits, hence 32 characters without padding
# By the prefix a scanner for leaked secrets knows it.
TOKEN = re.compile(r"prt_([A-Za-z0-9_-]{32})\.([A-Za-z0-9_-]{32})", re.ASCII)
# One sentence for all: a thief must not learn whether a token was good once.
REFRESH_TOKEN_REFUSED = "the refresh token is not valid"  # noqa: S105 # a sentence, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """Two secrets of 32 characters of base64url each."""

    family: str = field(repr=False)
    generation: str = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "RefreshToken":
        """Raises Unauthenticated."""
        match = TOKEN.fullmatch(text)
        if match is None:
            raise Unauthenticated(REFRESH_TOKEN_REFUSED)
        return cls(family=match[1], generation=match[2])

    @property
    def text(self) -> str:
        return f"prt_{self.family}.{self.generation}"

    @property
    def family_hash(self) -> str:
        return _hash(self.family)

    @property
    def generation_hash(self) -> str:
        return _hash(self.generation)


def _hash(secret: str) -> str:
    # Nothing slower is needed: nobody guesses 192 random bits.
    return sha256(secret.encode()).hexdigest()
