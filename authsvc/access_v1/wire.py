"""Between the words of the service and the messages of `access.v1`.

The messages of the two streams are google's own classes, not betterproto's: at thousands a second
the making of dataclasses would cost more than everything else together.
"""

import math
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from grpclib.exceptions import GRPCError

from authsvc.access_v1.checking import Answered, Question, Reply
from authsvc.access_v1.watching import WatchAsked, WatchPage, WatchReply
from authsvc.as_of import UINT32_MAX, AsOf, told
from authsvc.decision import Reason
from authsvc.listing import LocalUsersPage, UserLocalsPage
from authsvc.rows import Decided
from authsvc.service import Explanation, Identity, Permissions
from authsvc.tokens import BadToken
from generated.access.v1 import (
    BatchCheckLocalsResponse,
    ExplainAccessResponse,
    GetUserPermissionsResponse,
    ListLocalUsersResponse,
    ListUserLocalsResponse,
    TokenVerdict,
    VerifyTokenResponse,
)
from generated.access.v1 import Reason as WireReason
from svckit.errors import ServiceError
from svckit.status import wire_status

__all__ = [
    "StreamMessages",
    "batch_message",
    "identity_message",
    "bad_token_message",
    "permissions_message",
    "user_locals_message",
    "local_users_message",
    "explanation_message",
]

REASONS = {reason: int(WireReason[reason.name]) for reason in Reason}
VALID, INVALID = TokenVerdict["VALID"], TokenVerdict["INVALID"]
# Longer is as good as none.
TIMEOUT_S_MAX = 24 * 3600.0


class StreamMessages:
    """Google's classes for the two streams. Only after `open_codec`, which brings their schema."""

    def __init__(self) -> None:
        self.check_request = _class("CheckLocalsRequest")
        self.check_response = _class("CheckLocalsResponse")
        self.watch_request = _class("WatchRequest")
        self.watch_response = _class("WatchResponse")

    def question(self, message: Any) -> Question:
        timeout_ms = message.timeout_ms
        return Question(
            request_id=message.request_id,
            user_ids=list(message.user_ids),
            organization_ids=list(message.organization_ids),
            local_ids=list(message.local_ids),
            timeout_s=min(timeout_ms / 1000, TIMEOUT_S_MAX) if timeout_ms else None,
            traceparent=message.traceparent,
        )

    def reply(self, reply: Reply) -> Any:
        if isinstance(reply, Answered):
            return self.check_response(
                request_id=reply.request_id,
                reasons=[REASONS[reason] for reason in reply.decided.reasons],
                local_names=reply.decided.local_names,
                **told(reply.as_of),
            )
        return self.check_response(
            request_id=reply.request_id,
            error_code=reply.error.status.value,
            error_message=reply.error.message or "",
            retry_after_ms=_retry_after_ms(reply.error),
        )

    def watch_asked(self, message: Any) -> WatchAsked:
        return WatchAsked(
            tick=message.tick,
            database_id=message.database_id,
            after_revision=message.after_revision,
        )

    def watch_reply(self, reply: WatchReply) -> Any:
        if not isinstance(reply, WatchPage):
            code = wire_status(reply).grpc.value
            return self.watch_response(error_code=code, error_message=reply.detail)
        page = reply.page
        return self.watch_response(
            tick=reply.tick,
            database_id=page.database_id,
            after_revision=page.after,
            revision=page.revision,
            reset=page.is_gap,
            revisions=[change.revision for change in page.changes],
            organization_ids=[change.organization_id for change in page.changes],
            user_ids=[change.user_id or "" for change in page.changes],
            local_ids=[change.local_id or "" for change in page.changes],
        )


def _class(name: str) -> Any:
    return GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(f"access.v1.{name}"))


def _retry_after_ms(error: GRPCError) -> int:
    cause = error.__cause__
    if isinstance(cause, ServiceError) and cause.retry_after_s is not None:
        return min(math.ceil(cause.retry_after_s * 1000), UINT32_MAX)
    return 0


def batch_message(decided: Decided, as_of: AsOf) -> BatchCheckLocalsResponse:
    return BatchCheckLocalsResponse(
        reasons=[WireReason(REASONS[reason]) for reason in decided.reasons],
        local_names=list(decided.local_names),
        **told(as_of),
    )


def identity_message(identity: Identity) -> VerifyTokenResponse:
    return VerifyTokenResponse(
        verdict=VALID,
        user_id=identity.user_id,
        organization_id=identity.organization_id,
        permissions=list(identity.permissions),
        expires_at=identity.expires_at,
        **told(identity.as_of),
    )


def bad_token_message(bad: BadToken) -> VerifyTokenResponse:
    return VerifyTokenResponse(verdict=INVALID, error_message=bad.reason)


def permissions_message(held: Permissions) -> GetUserPermissionsResponse:
    return GetUserPermissionsResponse(
        organization_id=held.organization_id,
        permissions=list(held.permissions),
        **told(held.as_of),
    )


def user_locals_message(page: UserLocalsPage, next_token: str) -> ListUserLocalsResponse:
    return ListUserLocalsResponse(
        local_ids=[local_id for local_id, _ in page.rows],
        local_names=[name for _, name in page.rows],
        next_page_token=next_token,
        revision=page.revision,
    )


def local_users_message(page: LocalUsersPage, next_token: str) -> ListLocalUsersResponse:
    return ListLocalUsersResponse(
        user_ids=list(page.rows), next_page_token=next_token, revision=page.revision
    )


def explanation_message(explanation: Explanation) -> ExplainAccessResponse:
    findings = explanation.findings
    return ExplainAccessResponse(
        reason=WireReason(REASONS[explanation.verdict.reason]),
        local_name=explanation.verdict.local_name,
        conditions=[finding.condition for finding in findings],
        holds=[finding.holds for finding in findings],
        reasons=[WireReason(REASONS[finding.reason]) for finding in findings],
        revision=explanation.as_of.revision,
    )
