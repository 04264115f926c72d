"""`python -m svckit authsvc catalogsvc`: any number of services on one uvloop event loop."""

import importlib
import os
import sys
from collections.abc import Sequence

import uvloop

from svckit.lifecycle import run_services
from svckit.service import Service, Serving, StartError

__all__ = ["main"]


def main(modules: Sequence[str]) -> int:
    """The exit code: 0 after a clean stop, 2 when a service cannot start as asked."""
    if not modules:
        print("usage: python -m svckit MODULE [MODULE ...]", file=sys.stderr)
        return 2
    try:
        services = [_create(module) for module in modules]
        uvloop.run(run_services(services, announce))
    except StartError as exc:
        print(f"cannot start: {exc}", file=sys.stderr)
        return 2
    return 0


def announce(serving: Sequence[tuple[str, Serving]]) -> None:
    for name, service in serving:
        for label, url in service.endpoints.items():
            print(f"{name:<9}{label:<7}{url}")
    for _, service in serving:
        for note in service.notes:
            print(note)
    sys.stdout.flush()


def _create(module: str) -> Service:
    try:
        app = importlib.import_module(f"{module}.app")
    except ModuleNotFoundError as exc:
        if exc.name not in (module, f"{module}.app"):
            raise
        raise StartError(f"no service is named {module!r}") from exc
    service: Service = app.create_service(os.environ)
    return service


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
