"""access.v1 on gRPC, answered from the book of a fake Auth."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from grpclib.const import Cardinality
from grpclib.const import Handler as RpcHandler
from grpclib.exceptions import GRPCError
from grpclib.server import Stream

from generated.access import v1 as access
from svckit.errors import ServiceError
from svckit.status import wire_status
from tests.contract.authz.fake_book import FakeAuth, Said

__all__ = ["AccessService", "grpc_trouble", "reason_of"]

# What a server of the future may answer, and we do not know yet.
FUTURE_REASON = 99


def reason_of(said: Said) -> int:
    """In numbers. Words that the contract does not have are a reason of the future."""
    if said.is_valid and not said.reason:
        return int(access.Reason.ALLOWED)
    if not said.is_valid and said.reason == "ALLOWED":
        return FUTURE_REASON
    return int(access.Reason.__members__.get(said.reason, FUTURE_REASON))


@contextmanager
def grpc_trouble() -> Iterator[None]:
    try:
        yield
    except ServiceError as exc:
        raise GRPCError(wire_status(exc).grpc, exc.detail) from exc


class AccessService(access.AccessServiceBase):
    def __init__(self, fake: FakeAuth) -> None:
        self._fake = fake

    def __mapping__(self) -> dict[str, RpcHandler]:
        mapping = dict(super().__mapping__())
        for name, method, asked, said in (
            ("CheckLocals", self._check, access.CheckLocalsRequest, access.CheckLocalsResponse),
            ("Watch", self._watch, access.WatchRequest, access.WatchResponse),
        ):
            route = f"/access.v1.AccessService/{name}"
            mapping[route] = RpcHandler(method, Cardinality.STREAM_STREAM, asked, said)
        return mapping

    async def verify_token(
        self, verify_token_request: access.VerifyTokenRequest
    ) -> access.VerifyTokenResponse:
        with grpc_trouble():
            found = await self._fake.identify(verify_token_request.token)
        if found is None:
            return access.VerifyTokenResponse(
                verdict=access.TokenVerdict(2), error_message=self._fake.bad_token_reason
            )
        user_id, organization_id, permissions = found
        return access.VerifyTokenResponse(
            verdict=access.TokenVerdict(1),
            user_id=user_id,
            organization_id=organization_id,
            permissions=list(permissions),
            expires_at=self._fake.expires_at,
            **self._as_of(),
        )

    async def get_user_permissions(
        self, get_user_permissions_request: access.GetUserPermissionsRequest
    ) -> access.GetUserPermissionsResponse:
        with grpc_trouble():
            found = await self._fake.list_permissions(get_user_permissions_request.user_id)
        return access.GetUserPermissionsResponse(
            organization_id=self._fake.organization_id, permissions=list(found), **self._as_of()
        )

    def _as_of(self) -> dict[str, Any]:
        fake = self._fake
        return {
            "revision": fake.revision,
            "age_ms": fake.age_ms,
            "database_id": fake.database_id,
        }

    async def _check(
        self, stream: Stream[access.CheckLocalsRequest, access.CheckLocalsResponse]
    ) -> None:
        async with asyncio.TaskGroup() as questions:
            async for request in stream:
                questions.create_task(self._answer(stream, request))

    async def _answer(
        self,
        stream: Stream[access.CheckLocalsRequest, access.CheckLocalsResponse],
        request: access.CheckLocalsRequest,
    ) -> None:
        fake = self._fake
        fake.metadata = {**fake.metadata, "traceparent": request.traceparent}
        columns = (request.user_ids, request.organization_ids, request.local_ids)
        response = access.CheckLocalsResponse(request_id=request.request_id)
        try:
            saids = await fake.decide_all(list(zip(*columns, strict=True)))
        except ServiceError as exc:
            response.error_code = wire_status(exc).grpc.value
            response.error_message = exc.detail
            response.retry_after_ms = int((exc.retry_after_s or 0) * 1000)
        else:
            response.reasons = [reason_of(said) for said in saids]  # type: ignore[misc] # also numbers that are no Reason yet
            response.local_names = _names(saids)
            response.revision = fake.revision
            response.age_ms = fake.age_ms
            response.database_id = fake.database_id
        await stream.send_message(response)

    async def _watch(self, stream: Stream[access.WatchRequest, access.WatchResponse]) -> None:
        first = await stream.recv_message()
        assert first is not None
        watcher = _Watcher(self._fake, stream, first)
        await watcher.tell(tick=first.tick)
        async with asyncio.TaskGroup() as tasks:
            pushing = tasks.create_task(watcher.push())
            async for request in stream:
                await watcher.tell(tick=request.tick)
            pushing.cancel()


class _Watcher:
    def __init__(
        self,
        fake: FakeAuth,
        stream: Stream[access.WatchRequest, access.WatchResponse],
        first: access.WatchRequest,
    ) -> None:
        self._fake = fake
        self._stream = stream
        is_known = first.database_id == fake.database_id and first.after_revision <= fake.revision
        self._after = first.after_revision if is_known else fake.revision
        self._is_reset = not is_known

    async def tell(self, *, tick: int) -> None:
        fake = self._fake
        if fake.is_feed_silent:
            return
        changes = [change for change in fake.changes if change.revision > self._after]
        page = access.WatchResponse(
            tick=tick,
            database_id=fake.database_id,
            after_revision=self._after,
            revision=fake.revision,
            reset=self._is_reset,
            revisions=[change.revision for change in changes],
            organization_ids=[change.organization_id for change in changes],
            user_ids=[change.user_id or "" for change in changes],
            local_ids=[change.local_id or "" for change in changes],
        )
        self._after, self._is_reset = fake.revision, False
        await self._stream.send_message(page)

    async def push(self) -> None:
        with suppress(GRPCError):
            while True:
                await self._fake.changed.wait()
                await self.tell(tick=0)


def _names(saids: Sequence[Said]) -> list[str]:
    # A denial leaks no names; but a yes with a reason to deny keeps its contradiction.
    return [said.local_name if said.is_valid else "" for said in saids]
