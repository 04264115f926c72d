"""Sessions over REST: logging in, going on, seeing and ending one's own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from authsvc.audit import Actor, ActorKind
from authsvc.login_limits import network_of
from authsvc.refusals import Refusals
from authsvc.rest_identity import identity_of
from authsvc.service import AuthService, Identity
from authsvc.session_rules import Session
from authsvc.sessions import Sessions, Started
from svckit.errors import (
    DeadlineExceeded,
    Forbidden,
    InvalidRequest,
    NotFound,
    Overloaded,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from svckit.rest import Endpoint, json_answer, path_id, read_body

__all__ = ["SessionsRest"]

# As the audit log names what was refused, whatever followed in the path.
ROUTE = "route:/api/v1/auth"
# A refusal at once is asked for again at once, and no answer is so cheap that a loop of them is.
REFUSAL_S = 0.25
TOKEN_TYPE = "Bearer"  # noqa: S105 # a name, not a secret


class _Secrets(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What holds a secret is not shown by repr."""

    def __repr__(self) -> str:
        return type(self).__name__


class LoginQuestion(_Secrets, frozen=True, kw_only=True, forbid_unknown_fields=True):
    organization_id: str
    email: str
    password: str


class RefreshQuestion(_Secrets, frozen=True, kw_only=True, forbid_unknown_fields=True):
    refresh_token: str


class PasswordQuestion(_Secrets, frozen=True, kw_only=True, forbid_unknown_fields=True):
    current_password: str
    new_password: str


class SessionAnswer(_Secrets, frozen=True, kw_only=True):
    """After RFC 6749, section 5.1. `expires_in` and the others are in seconds; `..._at` since 1970.

    The refresh token is good for one use, and using it twice ends the session.
    """

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    session_id: str
    session_expires_at: int


class SessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """Times are in seconds since 1970."""

    id: str
    created_at: int
    refreshed_at: int
    expires_at: int
    is_current: bool


class SessionsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    sessions: Sequence[SessionRow]


class SessionsRest:
    """Strangers who are refused have waited for `refusal_s`."""

    def __init__(
        self,
        service: AuthService,
        sessions: Sessions,
        refusals: Refusals,
        *,
        refusal_s: float = REFUSAL_S,
    ) -> None:
        self._service = service
        self._sessions = sessions
        self._refusals = refusals
        self._refusal_s = refusal_s

    def endpoints(self) -> Sequence[Endpoint]:
        down = (Unavailable, DeadlineExceeded)
        asked = (InvalidRequest, TooLarge, Unauthenticated)
        return (
            Endpoint(
                method="POST",
                path="/api/v1/auth/login",
                summary="Start a session.",
                answer=self.log_in,
                body=LoginQuestion,
                result=SessionAnswer,
                failures=(*asked, Overloaded, *down),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/auth/refresh",
                summary="Go on with a session.",
                answer=self.refresh,
                body=RefreshQuestion,
                result=SessionAnswer,
                failures=(*asked, Overloaded, *down),
            ),
            Endpoint(
                method="POST",
                path="/api/v1/auth/logout",
                summary="End this session.",
                answer=self.log_out,
                status=204,
                failures=(InvalidRequest, Unauthenticated, NotFound, *down),
                needs_token=True,
            ),
            Endpoint(
                method="GET",
                path="/api/v1/auth/sessions",
                summary="Which sessions have I?",
                answer=self.list_own,
                result=SessionsAnswer,
                failures=(Unauthenticated, *down),
                needs_token=True,
            ),
            Endpoint(
                method="DELETE",
                path="/api/v1/auth/sessions/{session_id}",
                summary="End one of my sessions.",
                answer=self.end_own,
                status=204,
                failures=(InvalidRequest, Unauthenticated, NotFound, *down),
                needs_token=True,
            ),
            Endpoint(
                method="POST",
                path="/api/v1/auth/password",
                summary="Change my password, and end my other sessions.",
                answer=self.change_password,
                body=PasswordQuestion,
                result=SessionAnswer,
                failures=(*asked, Forbidden, NotFound, Overloaded, *down),
                needs_token=True,
            ),
        )

    async def log_in(self, request: Request) -> Response:
        question = await read_body(request, LoginQuestion)
        async with self._refusing_slowly():
            started = await self._sessions.log_in(
                organization_id=question.organization_id,
                email=question.email,
                password=question.password,
                network=_network(request),
            )
        return json_answer(_session_answer(started))

    async def refresh(self, request: Request) -> Response:
        question = await read_body(request, RefreshQuestion)
        async with self._refusing_slowly():
            try:
                started = await self._sessions.refresh(
                    question.refresh_token, network=_network(request)
                )
            except Unauthenticated:
                await self._refusals.note_stranger(f"{ROUTE}/refresh", address=_address(request))
                raise
        return json_answer(_session_answer(started))

    @asynccontextmanager
    async def _refusing_slowly(self) -> AsyncIterator[None]:
        try:
            yield
        except (Unauthenticated, Overloaded):
            await asyncio.sleep(self._refusal_s)
            raise

    async def log_out(self, request: Request) -> Response:
        identity = await self._identity(request)
        await self._end(identity, _own_session(identity), reason="logout")
        return Response(status_code=204)

    async def list_own(self, request: Request) -> Response:
        identity = await self._identity(request)
        sessions = await self._sessions.of_user(identity.user_id)
        answer = SessionsAnswer(sessions=[_row(s, identity) for s in sessions])
        return json_answer(answer)

    async def end_own(self, request: Request) -> Response:
        identity = await self._identity(request)
        await self._end(identity, path_id(request, "session_id"), reason="ended")
        return Response(status_code=204)

    async def change_password(self, request: Request) -> Response:
        identity = await self._identity(request)
        question = await read_body(request, PasswordQuestion)
        changed = await self._sessions.change_password(
            identity.user_id,
            _own_session(identity),
            current=question.current_password,
            new=question.new_password,
            network=_network(request),
        )
        return json_answer(_session_answer(changed))

    async def _identity(self, request: Request) -> Identity:
        try:
            return await identity_of(request, self._service)
        except Unauthenticated:
            await self._refusals.note_stranger(ROUTE, address=_address(request))
            raise

    async def _end(self, identity: Identity, session_id: str, *, reason: str) -> None:
        user = Actor(kind=ActorKind.USER, id=identity.user_id)
        await self._sessions.end(identity.user_id, session_id, by=user, reason=reason)


def _session_answer(started: Started) -> SessionAnswer:
    return SessionAnswer(
        access_token=started.access_token.text,
        token_type=TOKEN_TYPE,
        expires_in=started.access_token.lifetime_s,
        refresh_token=started.refresh_token,
        session_id=started.session.id,
        session_expires_at=started.session.expires_at,
    )


def _row(session: Session, identity: Identity) -> SessionRow:
    return SessionRow(
        id=session.id,
        created_at=session.created_at,
        refreshed_at=session.refreshed_at,
        expires_at=session.expires_at,
        is_current=session.id == identity.session_id,
    )


def _own_session(identity: Identity) -> str:
    if identity.session_id is None:
        raise InvalidRequest("the token belongs to no session")
    return identity.session_id


def _network(request: Request) -> str:
    return network_of(_address(request))


def _address(request: Request) -> str:
    """Of whoever is connected: a header that names another address may be anyone's invention."""
    return request.client.host if request.client else ""
