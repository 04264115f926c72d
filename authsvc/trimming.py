"""Takes away what is too old to be of use. Any process may do it, and several may at once."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from authsvc.sessions import Sessions
from authsvc.store import Store
from svckit.housekeeping import every

__all__ = ["trimming_changes", "trimming_sessions"]

TRIM_EVERY_S = 60.0
TRIM_TIMEOUT_S = 10.0


def trimming_changes(
    store: Store,
    *,
    wall_clock: Callable[[], float],
    report_bug: Callable[[BaseException], object],
) -> AbstractAsyncContextManager[None]:
    """`wall_clock` gives seconds since 1970."""
    return every(
        TRIM_EVERY_S,
        lambda: store.trim_changes(wall_now=wall_clock()),
        name="change-log-trimmer",
        timeout_s=TRIM_TIMEOUT_S,
        report_bug=report_bug,
    )


def trimming_sessions(
    sessions: Sessions, *, report_bug: Callable[[BaseException], object]
) -> AbstractAsyncContextManager[None]:
    return every(
        TRIM_EVERY_S,
        sessions.trim,
        name="session-trimmer",
        timeout_s=TRIM_TIMEOUT_S,
        report_bug=report_bug,
    )
