"""What carries a client's questions to a replica in the simulation, and the answers back."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeAlias, TypeVar

from authsvc.as_of import AsOf as ServerAsOf
from authsvc.as_of import age_ms
from authsvc.columns import Columns
from authsvc.service import AuthService
from authsvc.tokens import BadToken
from catalogsvc.authz.errors import InvalidToken, UnknownUser
from catalogsvc.authz.model import Identity, Reason, Row, Source
from catalogsvc.authz.transport import AsOf, Checked, Failure, PathFailed, Permitted, Verified
from svckit.deadline import Deadline
from svckit.errors import NotFound, ServiceError
from tests.simulation.network import Network
from tests.simulation.process import Process
from tests.simulation.replica import Place

__all__ = ["TransportOverNetwork"]

A = TypeVar("A")
Outcome: TypeAlias = A | ServiceError
Question: TypeAlias = Callable[[AuthService], Awaitable[A]]

# What a server does with a question whose client has given no time.
SERVER_BOUND_S = 5.0


class TransportOverNetwork:
    """Answers may come out of order, twice, late or never; each finds its own question."""

    def __init__(
        self, place: Place, here: Process, network: Network, *, name: str, source: Source
    ) -> None:
        self.name = name
        self._place = place
        self._here = here
        self._network = network
        self._source = source
        self._is_closed = False

    async def check_locals(self, rows: Sequence[Row], *, deadline: Deadline) -> Checked:
        users, organizations, local_ids = zip(*rows, strict=True)
        columns = Columns(user_ids=users, organization_ids=organizations, local_ids=local_ids)

        async def question(service: AuthService) -> Checked:
            decided, as_of = await service.check_locals(columns)
            reasons = [Reason[reason.name] for reason in decided.reasons]
            return Checked(
                reasons=reasons, local_names=list(decided.local_names), as_of=_told(as_of)
            )

        return await self._ask(question, deadline)

    async def verify_token(self, token: str, *, deadline: Deadline) -> Verified:
        async def question(service: AuthService) -> Verified:
            try:
                found = await service.verify_token(token)
            except BadToken as exc:
                raise InvalidToken(exc.reason) from exc
            identity = Identity(
                user_id=found.user_id,
                organization_id=found.organization_id,
                permissions=frozenset(found.permissions),
                source=self._source,
            )
            return Verified(
                identity=identity, expires_at=found.expires_at, as_of=_told(found.as_of)
            )

        return await self._ask(question, deadline)

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> Permitted:
        async def question(service: AuthService) -> Permitted:
            try:
                found = await service.user_permissions(user_id)
            except NotFound as exc:
                raise UnknownUser("Auth knows no such user") from exc
            return Permitted(
                permissions=frozenset(found.permissions),
                organization_id=found.organization_id,
                as_of=_told(found.as_of),
            )

        return await self._ask(question, deadline)

    async def close(self) -> None:
        self._is_closed = True

    async def _ask(self, question: Question[A], deadline: Deadline) -> A:
        assert not self._is_closed, "asked after close"
        answer: asyncio.Future[A] = self._here.loop.create_future()
        failure = PathFailed(self.name, Failure.BROKEN_OFF)
        settle = partial(_settle, answer, failure)
        broken = partial(self._network.send, self._place.machine, self._here, settle)
        replica = self._place.replica
        if replica is None:
            # Nobody listens there; the refusal comes over the network, too.
            broken()
        else:
            left_s = deadline.left_s(self._here.loop.time())
            serve = partial(self._serve, question, answer, left_s)
            self._network.send(self._here, replica.process, serve)
            self._place.on_break[broken] = None
        try:
            async with asyncio.timeout_at(deadline.at):
                return await answer
        except TimeoutError as exc:
            raise PathFailed(self.name, Failure.TIMED_OUT) from exc
        finally:
            self._place.on_break.pop(broken, None)

    def _serve(self, question: Question[A], answer: "asyncio.Future[A]", left_s: float) -> None:
        """On the replica's loop."""
        replica = self._place.replica
        if replica is None:
            return

        async def respond() -> None:
            outcome: Outcome[A]
            try:
                async with asyncio.timeout(min(left_s, SERVER_BOUND_S)):
                    outcome = await question(replica.service)
            except (InvalidToken, UnknownUser) as exc:
                outcome = exc
            except (ServiceError, TimeoutError):
                outcome = PathFailed(self.name, Failure.BROKEN_OFF)
            settle = partial(_settle, answer, outcome)
            self._network.send(replica.process, self._here, settle)

        replica.process.spawn(respond())


def _settle(answer: "asyncio.Future[A]", outcome: "Outcome[A]") -> None:
    if answer.done():
        return
    if isinstance(outcome, ServiceError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _told(as_of: ServerAsOf) -> AsOf:
    """As on the wire: in whole milliseconds, never younger than it is."""
    return AsOf(
        database_id=as_of.database_id,
        revision=as_of.revision,
        age_s=age_ms(as_of) / 1_000,
    )
