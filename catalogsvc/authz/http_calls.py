"""One question over HTTP: a request within its deadline, and the body of its answer as JSON."""

import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import msgspec
from yarl import URL

from catalogsvc.authz.call import Clock, run_call
from catalogsvc.authz.outcomes import Outcome, error_of, http_outcome, retry_after_s
from svckit.deadline import Deadline
from svckit.errors import DeadlineExceeded, ServiceError
from svckit.rpc import Interceptor, RpcCall

__all__ = ["HttpCalls"]

BODY_BYTES_MAX = 1024 * 1024
CONNECTIONS_MAX = 100
# Nothing compressed: the bound on the body is then a bound on the memory too.
HEADERS = {"accept": "application/json", "accept-encoding": "identity"}

S = TypeVar("S", bound=msgspec.Struct)


class HttpCalls:
    """To one server. Owns its connections, which it opens when first asked.

    Without `tls`, an https server needs a certificate of an authority that the system believes.

    Redirects are not followed and cookies not kept: a credential goes where the operator said.
    """

    __slots__ = ("_clock", "_interceptors", "_peer", "_session", "_tls", "name")

    def __init__(
        self,
        base_url: str,
        *,
        interceptors: Sequence[Interceptor],
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._tls = tls
        self._interceptors = interceptors
        self._clock = clock
        self._peer = urlsplit(base_url).netloc
        self.name = base_url.rstrip("/")
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self,
        method: str,
        place: str,
        answer_type: type[S],
        *,
        deadline: Deadline,
        body: Mapping[str, object] | None = None,
        not_found: ServiceError | None = None,
        statuses_of_older: Collection[int] = (),
    ) -> S:
        """GET, or with a `body` POST. `method` is what gRPC calls the same question.

        Raises as Transport, and Unimplemented on `statuses_of_older`.
        """
        call = RpcCall(
            method=method, side="client", protocol="http", peer=self._peer, deadline=deadline
        )

        def refusal(response: aiohttp.ClientResponse) -> ServiceError:
            is_older = response.status in statuses_of_older
            outcome = http_outcome(response.status, response.content_type)
            return error_of(
                Outcome.UNIMPLEMENTED if is_older else outcome,
                path=self.name,
                not_found=not_found,
                retry_after_s=retry_after_s(response.headers.get("retry-after"), unit_s=1.0),
            )

        async def ask() -> S:
            try:
                content = await self._exchange(call, place, body, refusal)
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

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _exchange(
        self,
        call: RpcCall,
        place: str,
        body: Mapping[str, object] | None,
        refusal: Callable[[aiohttp.ClientResponse], ServiceError],
    ) -> bytes:
        """The body of a 200; of every other status the `refusal` is raised."""
        async with self._open_session().request(
            "GET" if body is None else "POST",
            URL(self.name + place, encoded=True),
            json=body,
            headers={**HEADERS, **call.metadata},
            allow_redirects=False,
        ) as response:
            if response.status == 200:
                return await self._read_bounded(response.content)
            raise refusal(response)

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX, ssl=self._tls or True),
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
