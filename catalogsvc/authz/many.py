"""Many questions asked at once: equal ones are asked together, and each keeps its own outcome."""

from collections.abc import Mapping, Sequence

from catalogsvc.authz.cache import DecisionCache
from catalogsvc.authz.call import Clock
from catalogsvc.authz.checks import TOO_LATE, Checks
from catalogsvc.authz.errors import RETRY_AFTER_S, AuthUnavailable, PartlyUnavailable
from catalogsvc.authz.freshness import FOREVER
from catalogsvc.authz.model import ROWS_MAX, Decision, Row
from catalogsvc.authz.waiters import Failed, Outcome
from svckit.deadline import Deadline

__all__ = ["decide_all"]

# Rows that one call has under way at once: enough for a few lanes, and not all that the client may.
SLICE = 4 * ROWS_MAX


async def decide_all(
    rows: Sequence[Row],
    cache: DecisionCache,
    checks: Checks,
    *,
    deadline: Deadline,
    clock: Clock,
    lease_clock: Clock,
) -> list[Decision]:
    """One decision per row, in the same order. The ids are good.

    Raises PartlyUnavailable when some got none, AuthUnavailable when all did.
    """
    while True:
        outcomes: dict[Row, Outcome] = {}
        misses: list[Row] = []
        for row in dict.fromkeys(rows):
            hit = cache.find(row)
            if hit is None:
                misses.append(row)
            else:
                outcomes[row] = hit
        if not misses:
            break
        good_until = min(map(cache.good_until, outcomes), default=FOREVER)
        for first in range(0, len(misses), SLICE):
            group = await checks.answer_all(misses[first : first + SLICE], deadline)
            outcomes |= group.outcomes
            good_until = min(good_until, group.good_until)
        # The last may have come so late that the first yes is too old by now to be told.
        if lease_clock() < good_until:
            break
        if deadline.is_over(clock()):
            outcomes = {row: outcome for row, outcome in outcomes.items() if not _is_yes(outcome)}
            break
    return _told(rows, outcomes)


def _told(rows: Sequence[Row], outcomes: Mapping[Row, Outcome]) -> list[Decision]:
    told = [outcomes.get(row) for row in rows]
    decisions = [outcome for outcome in told if outcome.__class__ is Decision]
    if len(decisions) == len(rows):
        return decisions
    failures = [outcome.error for outcome in told if isinstance(outcome, Failed)]
    for error in failures:
        if not isinstance(error, AuthUnavailable):
            raise error.with_traceback(None)
    error = failures[0] if failures else AuthUnavailable(TOO_LATE)
    assert isinstance(error, AuthUnavailable)
    if not decisions:
        raise error.with_traceback(None)
    raise PartlyUnavailable(
        tuple(outcome if isinstance(outcome, Decision) else None for outcome in told),
        tried=error.tried,
        retry_after_s=error.retry_after_s or RETRY_AFTER_S,
    )


def _is_yes(outcome: Outcome) -> bool:
    return isinstance(outcome, Decision) and outcome.is_valid
