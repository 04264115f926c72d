"""What goes beyond the first contract, over REST: the batch, the lists and the explanation."""

from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from authsvc.as_of import told
from authsvc.columns import read_columns
from authsvc.decision import Reason
from authsvc.model import LocalQuery
from authsvc.service import AuthService
from svckit.errors import DeadlineExceeded, InvalidRequest, NotFound, TooLarge, Unavailable
from svckit.rest import Endpoint, json_answer, path_id, read_body, read_query

__all__ = ["AccessRest", "AnswerAsOf"]


class AnswerAsOf(msgspec.Struct, frozen=True, kw_only=True):
    """All changes of the database up to `revision` are in it; none of it is older than `age_ms`."""

    revision: int
    age_ms: int
    database_id: str


class LocalsQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Row i is (user_ids[i], organization_ids[i], local_ids[i]); 1 to 512 rows."""

    user_ids: list[str]
    organization_ids: list[str]
    local_ids: list[str]


class LocalsAnswer(AnswerAsOf, frozen=True, kw_only=True):
    """Row i answers row i of the question. A name stands only beside ALLOWED."""

    reasons: Sequence[Reason]
    local_names: Sequence[str]


class PageQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    page_size: int = 0
    page_token: str = ""


class LocalRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    name: str


class UserLocalsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    locals: Sequence[LocalRow]
    next_page_token: str
    revision: int


class UserRow(msgspec.Struct, frozen=True, kw_only=True):
    id: str


class LocalUsersAnswer(msgspec.Struct, frozen=True, kw_only=True):
    users: Sequence[UserRow]
    next_page_token: str
    revision: int


class ExplainQuestion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user_id: str
    organization_id: str
    local_id: str


class ConditionRow(msgspec.Struct, frozen=True, kw_only=True):
    """`reason` is what it gives when it does not hold."""

    condition: str
    holds: bool
    reason: Reason


class ExplainAnswer(msgspec.Struct, frozen=True, kw_only=True):
    reason: Reason
    local_name: str
    conditions: Sequence[ConditionRow]
    revision: int


class AccessRest:
    def __init__(self, service: AuthService) -> None:
        self._service = service

    def endpoints(self) -> Sequence[Endpoint]:
        down = (Unavailable, DeadlineExceeded)
        return (
            Endpoint(
                method="POST",
                path="/api/v1/locals/validate",
                rpc="BatchCheckLocals",
                summary="May these users enter these locals?",
                answer=self.validate_locals,
                body=LocalsQuestion,
                result=LocalsAnswer,
                failures=(InvalidRequest, TooLarge, *down),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/users/{user_id}/locals",
                rpc="ListUserLocals",
                summary="Which locals may this user enter?",
                answer=self.user_locals,
                query=PageQuestion,
                result=UserLocalsAnswer,
                failures=(InvalidRequest, NotFound, *down),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/locals/{local_id}/users",
                rpc="ListLocalUsers",
                summary="Which users may enter this local?",
                answer=self.local_users,
                query=PageQuestion,
                result=LocalUsersAnswer,
                failures=(InvalidRequest, NotFound, *down),
            ),
            Endpoint(
                method="GET",
                path="/api/v1/explain",
                rpc="ExplainAccess",
                summary="Which conditions of a decision hold?",
                answer=self.explain,
                query=ExplainQuestion,
                result=ExplainAnswer,
                failures=(InvalidRequest, *down),
            ),
        )

    async def validate_locals(self, request: Request) -> Response:
        question = await read_body(request, LocalsQuestion)
        columns = read_columns(
            user_ids=question.user_ids,
            organization_ids=question.organization_ids,
            local_ids=question.local_ids,
        )
        decided, as_of = await self._service.check_locals(columns)
        answer = LocalsAnswer(
            reasons=decided.reasons,
            local_names=decided.local_names,
            **told(as_of),
        )
        return json_answer(answer)

    async def user_locals(self, request: Request) -> Response:
        question = read_query(request, PageQuestion)
        page, next_token = await self._service.list_user_locals(
            path_id(request, "user_id"),
            page_size=question.page_size,
            page_token=question.page_token,
        )
        answer = UserLocalsAnswer(
            locals=[LocalRow(id=local_id, name=name) for local_id, name in page.rows],
            next_page_token=next_token,
            revision=page.revision,
        )
        return json_answer(answer)

    async def local_users(self, request: Request) -> Response:
        question = read_query(request, PageQuestion)
        page, next_token = await self._service.list_local_users(
            path_id(request, "local_id"),
            page_size=question.page_size,
            page_token=question.page_token,
        )
        answer = LocalUsersAnswer(
            users=[UserRow(id=user_id) for user_id in page.rows],
            next_page_token=next_token,
            revision=page.revision,
        )
        return json_answer(answer)

    async def explain(self, request: Request) -> Response:
        question = read_query(request, ExplainQuestion)
        query = LocalQuery(
            user_id=question.user_id,
            organization_id=question.organization_id,
            local_id=question.local_id,
        )
        explanation = await self._service.explain(query)
        answer = ExplainAnswer(
            reason=explanation.verdict.reason,
            local_name=explanation.verdict.local_name,
            conditions=[
                ConditionRow(condition=f.condition, holds=f.holds, reason=f.reason)
                for f in explanation.findings
            ],
            revision=explanation.as_of.revision,
        )
        return json_answer(answer)
