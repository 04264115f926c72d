"""The RPCs of `access.v1`. Failures are raised; interceptors put them on the wire."""

from collections.abc import Sequence
from typing import Any

from grpclib.const import Cardinality, Handler
from grpclib.server import Stream

from authsvc.access_v1.checking import CheckStream
from authsvc.access_v1.watching import WatchStream
from authsvc.access_v1.wire import (
    StreamMessages,
    bad_token_message,
    batch_message,
    explanation_message,
    identity_message,
    local_users_message,
    permissions_message,
    user_locals_message,
)
from authsvc.change_log import ChangeLog
from authsvc.columns import read_columns
from authsvc.follower import Follower
from authsvc.model import LocalQuery
from authsvc.service import AuthService
from authsvc.tokens import BadToken
from generated.access.v1 import (
    AccessServiceBase,
    BatchCheckLocalsRequest,
    BatchCheckLocalsResponse,
    ExplainAccessRequest,
    ExplainAccessResponse,
    GetUserPermissionsRequest,
    GetUserPermissionsResponse,
    ListLocalUsersRequest,
    ListLocalUsersResponse,
    ListUserLocalsRequest,
    ListUserLocalsResponse,
    VerifyTokenRequest,
    VerifyTokenResponse,
)
from svckit.rpc import Interceptor
from svckit.shared_stream import SharedStream

__all__ = ["AccessGrpc"]

SERVICE = "/access.v1.AccessService"


class AccessGrpc(AccessServiceBase):
    """`interceptors` are those of the server: each question on a stream goes through them too."""

    def __init__(
        self,
        service: AuthService,
        *,
        follower: Follower,
        log: ChangeLog,
        interceptors: Sequence[Interceptor],
    ) -> None:
        self._service = service
        self._follower = follower
        self._log = log
        self._interceptors = interceptors
        self._messages = StreamMessages()

    def __mapping__(self) -> dict[str, Handler]:
        """betterproto's, but for the two streams: its iterators lose errors and leak tasks."""
        messages = self._messages
        return {
            **super().__mapping__(),
            f"{SERVICE}/CheckLocals": Handler(
                self._check_locals,
                Cardinality.STREAM_STREAM,
                messages.check_request,
                messages.check_response,
            ),
            f"{SERVICE}/Watch": Handler(
                self._watch,
                Cardinality.STREAM_STREAM,
                messages.watch_request,
                messages.watch_response,
            ),
        }

    async def _check_locals(self, stream: Stream[Any, Any]) -> None:
        await stream.send_initial_metadata()
        messages, shared, address = self._messages, SharedStream(stream), stream.peer.addr()
        checking = CheckStream(
            self._service,
            interceptors=self._interceptors,
            send=lambda reply: shared.send(messages.reply(reply)),
            peer=address[0] if address else "",
        )
        await checking.answer_all(messages.question(message) async for message in shared.received())

    async def _watch(self, stream: Stream[Any, Any]) -> None:
        await stream.send_initial_metadata()
        messages, shared = self._messages, SharedStream(stream)
        watching = WatchStream(
            self._follower,
            self._log,
            send=lambda reply: shared.send(messages.watch_reply(reply)),
        )
        await watching.serve(messages.watch_asked(message) async for message in shared.received())

    async def batch_check_locals(
        self, batch_check_locals_request: BatchCheckLocalsRequest
    ) -> BatchCheckLocalsResponse:
        columns = read_columns(
            user_ids=batch_check_locals_request.user_ids,
            organization_ids=batch_check_locals_request.organization_ids,
            local_ids=batch_check_locals_request.local_ids,
        )
        return batch_message(*await self._service.check_locals(columns))

    async def verify_token(self, verify_token_request: VerifyTokenRequest) -> VerifyTokenResponse:
        try:
            return identity_message(await self._service.verify_token(verify_token_request.token))
        except BadToken as bad:
            return bad_token_message(bad)

    async def get_user_permissions(
        self, get_user_permissions_request: GetUserPermissionsRequest
    ) -> GetUserPermissionsResponse:
        user_id = get_user_permissions_request.user_id
        return permissions_message(await self._service.user_permissions(user_id))

    async def list_user_locals(
        self, list_user_locals_request: ListUserLocalsRequest
    ) -> ListUserLocalsResponse:
        page = await self._service.list_user_locals(
            list_user_locals_request.user_id,
            page_size=list_user_locals_request.page_size,
            page_token=list_user_locals_request.page_token,
        )
        return user_locals_message(*page)

    async def list_local_users(
        self, list_local_users_request: ListLocalUsersRequest
    ) -> ListLocalUsersResponse:
        page = await self._service.list_local_users(
            list_local_users_request.local_id,
            page_size=list_local_users_request.page_size,
            page_token=list_local_users_request.page_token,
        )
        return local_users_message(*page)

    async def explain_access(
        self, explain_access_request: ExplainAccessRequest
    ) -> ExplainAccessResponse:
        query = LocalQuery(
            user_id=explain_access_request.user_id,
            organization_id=explain_access_request.organization_id,
            local_id=explain_access_request.local_id,
        )
        return explanation_message(await self._service.explain(query))
