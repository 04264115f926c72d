"""As of when an answer is true, and how that is told. Pure."""

import math
from dataclasses import dataclass
from typing import TypedDict

__all__ = ["AsOf", "Told", "told", "age_ms", "UINT32_MAX"]

UINT32_MAX = 2**32 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """All changes of `database_id` up to `revision` are in the answer; none of it is older."""

    database_id: str
    revision: int
    age_s: float


class Told(TypedDict):
    """The fields of an answer that may be kept, by their names on each wire."""

    revision: int
    age_ms: int
    database_id: str


def told(as_of: AsOf) -> Told:
    return {
        "revision": as_of.revision,
        "age_ms": age_ms(as_of),
        "database_id": as_of.database_id,
    }


def age_ms(as_of: AsOf) -> int:
    """Rounded up: an answer never makes itself younger than it is."""
    return min(math.ceil(as_of.age_s * 1000), UINT32_MAX)
