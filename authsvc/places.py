"""Places for those who come at once: few in all, and fewer for one network. Pure.

Whoever finds none is told to come back: nobody waits for one.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from svckit.errors import Overloaded

__all__ = ["Places"]

RETRY_AFTER_S = 1.0


class Places:
    """`refusal` tells whoever finds none."""

    __slots__ = ("_per_network_max", "_places_max", "_refusal", "_taken")

    def __init__(self, *, places_max: int, per_network_max: int, refusal: str) -> None:
        self._places_max = places_max
        self._per_network_max = per_network_max
        self._refusal = refusal
        self._taken: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        return self._taken.total()

    @contextmanager
    def place(self, network: str) -> Iterator[None]:
        """Raises Overloaded."""
        if self.taken >= self._places_max or self._taken[network] >= self._per_network_max:
            raise Overloaded(self._refusal, retry_after_s=RETRY_AFTER_S)
        self._taken[network] += 1
        try:
            yield
        finally:
            self._taken[network] -= 1
            self._taken += Counter()  # forgets the networks that have none any more
