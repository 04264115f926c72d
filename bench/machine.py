"""Where a run took place: what bears on its figures, and nothing that names the machine."""

import os
import platform
from importlib.metadata import version

from bench.results import Machine

__all__ = ["describe_machine", "load_average"]

LIBRARIES = ("grpcio", "grpclib", "h2", "protobuf", "uvloop", "betterproto", "sqlalchemy")


def describe_machine() -> Machine:
    return Machine(
        cores=_cores(),
        processor=platform.machine(),
        system=platform.system(),
        python=platform.python_version(),
        versions={library: version(library) for library in LIBRARIES},
    )


def load_average() -> float:
    return round(os.getloadavg()[0], 2)


def _cores() -> int:
    """Those we may use, where the system says."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
