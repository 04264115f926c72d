"""Hosts services that are named by their modules; what goes wrong at their start is one line."""

import gc
import importlib
import os
import sys
from collections.abc import Sequence

import uvloop

from svckit.cause import innermost
from svckit.lifecycle import run_services
from svckit.logs import configure_logs
from svckit.service import Service, Serving, StartError

__all__ = ["host"]


def host(modules: Sequence[str]) -> int:
    """The exit code: 0 after a clean stop, 2 when a service cannot start as asked.

    Any other failure is our bug and passes through: a traceback, and exit code 1.
    """
    if not modules:
        print("usage: python -m svckit MODULE [MODULE ...]", file=sys.stderr)
        return 2
    exit_code = 0
    try:
        configure_logs(os.environ)
        services = [_create(module) for module in modules]
        uvloop.run(run_services(services, _started))
    # A group, when services that were up already had task groups of their own around it.
    except* StartError as refused:
        print(f"cannot start: {innermost(refused)}", file=sys.stderr)
        exit_code = 2
    return exit_code


def _started(serving: Sequence[tuple[str, Serving]]) -> None:
    announce(serving)
    # What the start made lasts as long as the process. Looking through it again and again for
    # garbage would take a tenth of the time that a busy service has.
    gc.collect()
    gc.freeze()


def announce(serving: Sequence[tuple[str, Serving]]) -> None:
    for name, service in serving:
        for label, url in service.endpoints.items():
            print(f"{name:<9}{label:<7}{url}")
    for _, service in serving:
        for note in service.notes:
            print(note)
    sys.stdout.flush()


def _create(module: str) -> Service:
    if module.startswith("."):
        raise StartError(f"no service is named {module!r}")
    try:
        app = importlib.import_module(f"{module}.app")
    except ModuleNotFoundError as exc:
        # What the service itself fails to find is not the operator's mistake.
        if not f"{module}.app.".startswith(f"{exc.name}."):
            raise
        raise StartError(f"no service is named {module!r}") from exc
    service: Service = app.create_service(os.environ)
    return service
