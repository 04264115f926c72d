"""A Transport in memory, which passes the same contract suite as the real ones."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

from grpclib.exceptions import GRPCError

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.model import Decision, Identity, LocalQuery, Source
from catalogsvc.authz.outcomes import error_of, grpc_outcome
from catalogsvc.authz.transport import Failure, PathFailed
from svckit.deadline import Deadline
from svckit.errors import ServiceError
from svckit.status import wire_status
from tests.contract.authz.fake_auth import FakeAuth

__all__ = ["FakeTransport"]

A = TypeVar("A")


@dataclass(slots=True, kw_only=True)
class FakeTransport:
    auth: FakeAuth = field(default_factory=FakeAuth)
    name: str = "fake://auth"
    is_closed: bool = False

    async def validate_local(self, query: LocalQuery, *, deadline: Deadline) -> Decision:
        said = await self._ask(self.auth.decide(query), deadline)
        return read_decision(
            is_valid=said.is_valid,
            local_name=said.local_name,
            said=said.reason,
            source=Source.GRPC,
            path=self.name,
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Identity:
        found = await self._ask(self.auth.identify(token), deadline)
        user_id, organization_id, permissions = found or ("", "", ())
        return read_identity(
            token=token,
            is_valid=found is not None,
            user_id=user_id,
            organization_id=organization_id,
            permissions=permissions,
            said="" if found else self.auth.bad_token_reason,
            source=Source.GRPC,
            path=self.name,
        )

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> frozenset[str]:
        unknown = UnknownUser("Auth knows no such user")
        return frozenset(await self._ask(self.auth.list_permissions(user_id), deadline, unknown))

    async def close(self) -> None:
        self.is_closed = True

    async def _ask(
        self, answer: Awaitable[A], deadline: Deadline, not_found: ServiceError | None = None
    ) -> A:
        try:
            async with asyncio.timeout_at(deadline.at):
                return await answer
        except TimeoutError as exc:
            raise PathFailed(self.name, Failure.TIMED_OUT) from exc
        except ServiceError as exc:
            raise error_of(
                grpc_outcome(GRPCError(wire_status(exc).grpc)),
                path=self.name,
                not_found=not_found,
                retry_after_s=exc.retry_after_s or 1.0,
            ) from exc
