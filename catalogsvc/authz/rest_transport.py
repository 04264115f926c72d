"""The same three questions over REST, for when gRPC gives no answer."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import msgspec
from yarl import URL

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.call import Clock, run_call
from catalogsvc.authz.errors import UnknownUser
from catalogsvc.authz.model import Decision, Identity, LocalQuery, Source
from catalogsvc.authz.outcomes import Outcome, error_of, http_outcome, retry_after_s
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded, ServiceError
from svckit.rpc import Interceptor, RpcCall

__all__ = ["RestTransport"]

BODY_BYTES_MAX = 256 * 1024
CONNECTIONS_MAX = 100
# Nothing compressed: the bound on the body is then a bound on the memory too.
HEADERS = {"accept": "application/json", "accept-encoding": "identity"}

S = TypeVar("S", bound=msgspec.Struct)


class _LocalAnswer(msgspec.Struct):
    is_valid: bool
    local_name: str | None = None
    reason: str | None = None


class _TokenAnswer(msgspec.Struct):
    is_valid: bool
    user_id: str | None = None
    organization_id: str | None = None
    permissions: list[str] | None = None
    error_message: str | None = None


class _PermissionsAnswer(msgspec.Struct):
    permissions: list[str]


class RestTransport:
    """A Transport. Owns its connections, which it opens when first asked.

    Redirects are not followed and cookies not kept: a credential goes where the operator said.
    """

    __slots__ = ("_base", "_clock", "_interceptors", "_peer", "_session", "name")

    def __init__(self, base_url: str, *, interceptors: Sequence[Interceptor], clock: Clock) -> None:
        self._base = base_url.rstrip("/")
        self._interceptors = interceptors
        self._clock = clock
        self._peer = urlsplit(base_url).netloc
        self.name = self._base
        self._session: aiohttp.ClientSession | None = None

    async def validate_local(self, query: LocalQuery, *, deadline: Deadline) -> Decision:
        asked = urlencode(
            {"user_id": query.user_id, "organization_id": query.organization_id}, quote_via=quote
        )
        answer = await self._call(
            "ValidateLocal",
            f"/api/v1/locals/{_segment(query.local_id)}/validate?{asked}",
            _LocalAnswer,
            deadline=deadline,
        )
        return read_decision(
            is_valid=answer.is_valid,
            local_name=answer.local_name or "",
            said=answer.reason or "",
            source=Source.REST,
            path=self.name,
        )

    async def verify_token(self, token: str, *, deadline: Deadline) -> Identity:
        answer = await self._call(
            "VerifyToken",
            "/api/v1/tokens/verify",
            _TokenAnswer,
            deadline=deadline,
            body={"token": token},
        )
        return read_identity(
            token=token,
            is_valid=answer.is_valid,
            user_id=answer.user_id or "",
            organization_id=answer.organization_id or "",
            permissions=answer.permissions or (),
            said=answer.error_message or "",
            source=Source.REST,
            path=self.name,
        )

    async def get_user_permissions(self, user_id: str, *, deadline: Deadline) -> frozenset[str]:
        answer = await self._call(
            "GetUserPermissions",
            f"/api/v1/users/{_segment(user_id)}/permissions",
            _PermissionsAnswer,
            deadline=deadline,
            not_found=UnknownUser("Auth knows no such user"),
        )
        return frozenset(answer.permissions)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _call(
        self,
        name: str,
        target: str,
        answer_type: type[S],
        *,
        deadline: Deadline,
        body: dict[str, str] | None = None,
        not_found: ServiceError | None = None,
    ) -> S:
        call = RpcCall(
            method=f"auth.AuthService/{name}",
            side="client",
            protocol="http",
            peer=self._peer,
            deadline=deadline,
        )

        async def ask() -> S:
            try:
                content = await self._exchange(call, target, body, not_found)
            except (aiohttp.ClientError, OSError) as exc:
                raise error_of(Outcome.BROKEN_OFF, path=self.name) from exc
            try:
                return msgspec.json.decode(content, type=answer_type)
            except (ValueError, RecursionError) as exc:  # wrong shape, no JSON, no UTF-8, too deep
                raise error_of(Outcome.UNINTELLIGIBLE, path=self.name) from exc

        try:
            return await run_call(
                call, ask, deadline=deadline, interceptors=self._interceptors, clock=self._clock
            )
        except DeadlineExceeded as exc:
            raise error_of(Outcome.TIMED_OUT, path=self.name) from exc

    async def _exchange(
        self,
        call: RpcCall,
        target: str,
        body: dict[str, str] | None,
        not_found: ServiceError | None,
    ) -> bytes:
        """The body of a 200; every other status is raised."""
        async with self._open_session().request(
            "GET" if body is None else "POST",
            URL(self._base + target, encoded=True),
            json=body,
            headers={**HEADERS, **call.metadata},
            allow_redirects=False,
        ) as response:
            if response.status == 200:
                return await self._read_bounded(response.content)
            raise error_of(
                http_outcome(response.status, response.content_type),
                path=self.name,
                not_found=not_found,
                retry_after_s=retry_after_s(response.headers.get("retry-after"), unit_s=1.0),
            )

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                # The deadline is the only timeout.
                timeout=aiohttp.ClientTimeout(total=None),
            )
        return self._session

    async def _read_bounded(self, stream: aiohttp.StreamReader) -> bytes:
        content = bytearray()
        async for chunk in stream.iter_any():
            content += chunk
            if len(content) > BODY_BYTES_MAX:
                raise error_of(Outcome.UNINTELLIGIBLE, path=self.name)
        return bytes(content)


def _segment(text: str) -> str:
    """`text` as one path segment. A lone "." or ".." is encoded too, or it would climb the path."""
    segment = quote(text, safe="")
    return segment.replace(".", "%2E") if segment in (".", "..") else segment
