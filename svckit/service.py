"""What a module must offer so that `python -m svckit MODULE ...` can run it."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

__all__ = ["Service", "Serving", "StartError"]


class StartError(Exception):
    """The service cannot start as it was asked to; one line for the operator, exit code 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What to tell the operator: where everything is, and anything else worth a line."""

    endpoints: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())


class Service(Protocol):
    """Made by `MODULE.app.create_service(environ)`, which raises StartError on bad settings."""

    name: str

    def serve(self) -> AbstractAsyncContextManager[Serving]:
        """Entered: everything answers. Left: not ready, no new calls, drained (bounded), closed.

        Raises StartError when it cannot be entered. A task that fails meanwhile cancels the body.
        """
        ...
