"""As of when an answer is true, and how that is told. Pure."""

import math
from dataclasses import dataclass

__all__ = ["AsOf", "age_ms", "UINT32_MAX"]

UINT32_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """All changes of `database_id` up to `revision` are in the answer; none of it is older."""

    database_id: str
    revision: int
    age_s: float


def age_ms(as_of: AsOf) -> int:
    """Rounded up: an answer never makes itself younger than it is."""
    return min(math.ceil(as_of.age_s * 1000), UINT32_MAX)
