"""What becomes of one batch: the second level, the wire, and who is told and what is kept.

The rules of freshness are applied here, once for a batch where that is enough: a denial is always
told; a yes only while it cannot be too old; and only what the store rule allows is kept.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from catalogsvc.authz.batcher import Batch, Batcher
from catalogsvc.authz.cache import DecisionCache
from catalogsvc.authz.call import Clock
from catalogsvc.authz.errors import AuthUnavailable
from catalogsvc.authz.freshness import ASKS_MAX, NEVER, TOO_OLD, Freshness, Sent
from catalogsvc.authz.model import Decision, Reason, Row, Source
from catalogsvc.authz.router import Router
from catalogsvc.authz.second_level import SecondLevel
from catalogsvc.authz.transport import AsOf, Checked, Transport
from catalogsvc.authz.waiters import Failed, Waiter, tell
from svckit.deadline import Deadline

__all__ = ["Batches"]

MADE_MAX = 4_096


class _Decisions:
    """A decision as the wire's and as the cache's, made once for all rows that have the same."""

    __slots__ = ("_made", "_revision", "_source")

    def __init__(self) -> None:
        self._made: dict[tuple[Reason, str], tuple[Decision, Decision]] = {}
        self._source = Source.CACHE
        self._revision = 0

    def of(
        self, source: Source, revision: int
    ) -> dict[tuple[Reason, str], tuple[Decision, Decision]]:
        """Those made so far."""
        if (source, revision) != (self._source, self._revision) or len(self._made) > MADE_MAX:
            self._made = {}
            self._source, self._revision = source, revision
        return self._made

    def make(self, reason: Reason, local_name: str) -> tuple[Decision, Decision]:
        wire = Decision(
            reason=reason, source=self._source, local_name=local_name, revision=self._revision
        )
        made = self._made[reason, local_name] = (wire, replace(wire, source=Source.CACHE))
        return made


class Batches:
    """`shared` counts the rows beyond the first of each batch that was answered, by source."""

    def __init__(
        self,
        batcher: Batcher[Waiter],
        router: Router,
        cache: DecisionCache,
        freshness: Freshness,
        *,
        second_level: SecondLevel | None,
        clock: Clock,
        lease_clock: Clock,
    ) -> None:
        self._batcher = batcher
        self._router = router
        self._cache = cache
        self._freshness = freshness
        self._second_level = second_level
        self._clock = clock
        self._lease_clock = lease_clock
        self._sources = {
            path.transport.name: path.source for path in (*router.targets, *router.rest)
        }
        self._decisions = _Decisions()
        self.sent = 0
        self.rows = 0
        self.shared: Counter[Source] = Counter()

    async def run(self, batch: Batch[Waiter], on_free: Callable[[], None]) -> None:
        """Tells everyone of the batch. Calls `on_free` when its lane may take the next."""
        kept: list[tuple[Row, Decision]] = []
        asked_at = NEVER
        try:
            rest = batch if self._second_level is None else await self._find_second(batch)
            if rest:
                kept, asked_at = await self._ask_wire(rest)
        except asyncio.CancelledError:
            # Our own close has told everyone before; this one may be a transport's, gone astray.
            self._fail(batch, AuthUnavailable())
            raise
        except Exception as exc:  # noqa: BLE001 # whatever it is, it is raised where each one waits
            self._fail(batch, exc)
        finally:
            self._batcher.free(batch)
            on_free()
        if kept and self._second_level is not None:
            await self._second_level.keep(
                kept, database_id=self._freshness.position.database_id, asked_at=asked_at
            )

    async def _find_second(self, batch: Batch[Waiter]) -> Batch[Waiter]:
        """Those that it could not answer under the same rules as the first level."""
        freshness, second_level = self._freshness, self._second_level
        if second_level is None or not freshness.is_leased(self._lease_clock()):
            return batch
        sent = freshness.send(self._lease_clock())
        found = await second_level.find(
            [flight.row for flight in batch], database_id=freshness.position.database_id
        )
        now = self._lease_clock()
        is_leased = freshness.is_leased(now)
        rest: Batch[Waiter] = []
        for flight, one in zip(batch, found, strict=True):
            if one is None or not (is_leased and self._is_current(flight.row, one.decision, sent)):
                rest.append(flight)
                continue
            decision = one.decision
            # It lives on here, and does not live twice.
            until = self._cache.until(one.asked_at, is_yes=decision.is_valid)
            if now >= until:
                rest.append(flight)
                continue
            self._cache.entries.put(flight.row, decision, revision=decision.revision, until=until)
            if self._batcher.land(flight):
                tell(flight, decision, freshness.lease_until)
        return rest

    def _is_current(self, row: Row, decision: Decision, sent: Sent) -> bool:
        known = self._freshness.position
        # A revision that we have not heard of may be of a time that a restored backup has undone.
        as_of = AsOf(database_id=known.database_id, revision=decision.revision)
        return decision.revision <= known.revision and self._freshness.may_keep(row[1], as_of, sent)

    async def _ask_wire(self, batch: Batch[Waiter]) -> tuple[list[tuple[Row, Decision]], float]:
        """What was kept, and when it was asked for."""
        rows = [flight.row for flight in batch]

        async def question(transport: Transport, attempt: Deadline) -> tuple[Source, Sent, Checked]:
            # Taken for each attempt: a second one is no older for the first having failed.
            sent = self._freshness.send(self._lease_clock())
            return (
                self._sources[transport.name],
                sent,
                await transport.check_locals(rows, deadline=attempt),
            )

        self.sent += 1
        self.rows += len(rows)
        last = max(batch[0].moment.deadline_at, batch[-1].moment.deadline_at)
        source, sent, checked = await self._router.ask(question, deadline=Deadline(last))
        self.shared[source] += len(rows) - 1
        return self._land(batch, checked, source, sent), sent.at

    def _land(
        self, batch: Batch[Waiter], checked: Checked, source: Source, sent: Sent
    ) -> list[tuple[Row, Decision]]:
        # Before anyone is told anything of an answer that is not to this question.
        assert len(batch) == len(checked.reasons) == len(checked.local_names), len(batch)
        now, as_of, freshness = self._lease_clock(), checked.as_of, self._freshness
        young_until = freshness.young_until(as_of, sent)
        is_young, is_leased = now <= young_until, freshness.is_leased(now)
        keeps_all = freshness.may_keep_any(as_of, sent)
        # Else not one of them may be kept, so none is looked at.
        may_keep_some = freshness.is_comparable(as_of, sent)
        leased_until = max(young_until, freshness.lease_until)
        until_yes, until_no = (self._cache.until(sent.at, is_yes=yes) for yes in (True, False))
        revision = as_of.revision
        made = self._decisions.of(source, revision)
        put, land = self._cache.entries.put, self._batcher.land
        kept: list[tuple[Row, Decision]] = []
        is_shared = self._second_level is not None
        is_kept_without_feed = not revision and self._cache.is_kept_without_feed
        again: Batch[Waiter] = []
        for flight, reason, name in zip(batch, checked.reasons, checked.local_names, strict=True):
            row = flight.row
            keeps = keeps_all or (may_keep_some and freshness.may_keep(row[1], as_of, sent))
            is_yes = reason is Reason.ALLOWED
            if is_yes and not is_young and not (keeps and is_leased):
                again.append(flight)
                continue
            wire, cached = made.get((reason, name)) or self._decisions.make(reason, name)
            if keeps:
                put(row, cached, revision=revision, until=until_yes if is_yes else until_no)
                if is_shared:
                    kept.append((row, cached))
            elif is_kept_without_feed:
                self._cache.keep_without_feed(row, cached, sent_at=sent.at)
            if land(flight):
                tell(flight, wire, leased_until if keeps else young_until)
        self._ask_again(again)
        return kept

    def _ask_again(self, flights: Batch[Waiter]) -> None:
        """Those whose yes was too old to be told."""
        hopeful: Batch[Waiter] = []
        for flight in flights:
            flight.asks += 1
            if flight.asks < ASKS_MAX:
                hopeful.append(flight)
            elif self._batcher.land(flight):
                tell(flight, Failed(AuthUnavailable(TOO_OLD)))
        self._batcher.ask_again([flight for flight in hopeful if not flight.is_landed])

    def _fail(self, batch: Batch[Waiter], error: Exception) -> None:
        now = self._clock()
        is_for_time = type(error) is AuthUnavailable
        for flight in batch:
            # Those that will be asked again are pending, and no longer of this batch.
            if self._batcher.land(flight):
                tell(flight, Failed(error, is_for_time and flight.moment.deadline_at <= now))
