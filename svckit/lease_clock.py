"""The clock that leases are measured on: it cannot be set, does not stop, and is read each time.

Not the loop's: uvloop reads that once an iteration, so a process that was stopped would wake up
believing in a lease that is long over.
"""

import time

__all__ = ["lease_clock"]


def lease_clock() -> float:
    """Seconds; where the system counts them, those of its sleep too."""
    return time.clock_gettime(CLOCK)


CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
