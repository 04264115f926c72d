"""The administration that `authctl` speaks to: a running server's, or the one over the database.

It is the same one: without a server its endpoints are called where they are, by the operator.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp
import msgspec
import typer
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Scope
from yarl import URL

from authsvc.admin_rules import PLATFORM_ADMIN, Caller
from authsvc.audit import OPERATOR
from authsvc.backend import Backend
from authsvc.cli.session import run
from authsvc.refusals import Refusals
from authsvc.rest_admin import admin_endpoints
from svckit.address import Address
from svckit.rest import rest_app
from svckit.service import StartError

__all__ = ["Ask", "Remote", "ask_in", "remote_of"]

ADMIN = "/api/v1/admin"
TIMEOUT_S = 10.0

T = TypeVar("T")
# Method, target below ADMIN (percent-encoded), JSON body -> the JSON answer; raises StartError.
Ask = Callable[[str, str, Any], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A running server, and the token of an admin."""

    url: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        url = URL(self.url)
        if url.scheme not in ("http", "https") or url.host is None:
            raise StartError("--url must look like https://auth.example.org")
        if url.scheme == "http" and not Address(url.host, url.port or 0).is_loopback:
            raise StartError("--url beyond this machine must be https: the token would be seen")


def remote_of(context: typer.Context) -> Remote | None:
    """None: the database is meant."""
    remote = context.find_root().obj
    assert remote is None or isinstance(remote, Remote)
    return remote


def ask_in(context: typer.Context, work: Callable[[Ask], Awaitable[T]]) -> T:
    """Raises StartError and ServiceError, which become one line."""
    remote = remote_of(context)
    if remote is None:
        return run(lambda backend: work(_ask_here(backend)))

    async def work_there() -> T:
        async with _asking_there(remote) as ask:
            return await work(ask)

    return asyncio.run(work_there())


@asynccontextmanager
async def _asking_there(remote: Remote) -> AsyncIterator[Ask]:
    headers = {"authorization": f"Bearer {remote.token}"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http:

        async def ask(method: str, target: str, body: Any) -> Any:
            url = URL(f"{remote.url.rstrip('/')}{ADMIN}{target}", encoded=True)
            content = {} if body is None else {"json": body}
            try:
                # A redirect would carry the token elsewhere.
                async with http.request(method, url, allow_redirects=False, **content) as answer:
                    return _read(answer.status, await answer.read())
            except (aiohttp.ClientError, TimeoutError) as exc:
                reason = str(exc) or "no answer within the time limit"
                raise StartError(f"cannot ask {remote.url}: {reason}") from exc

        yield ask


def _ask_here(backend: Backend) -> Ask:
    async def identify(_: Request) -> Caller:
        return Caller(actor=OPERATOR, permissions=(PLATFORM_ADMIN,))

    refusals = Refusals(backend.administration, clock=asyncio.get_running_loop().time)
    endpoints = admin_endpoints(backend.administration, identify=identify, refusals=refusals)
    app = rest_app(endpoints, report_bug=_raise, timeout_s=TIMEOUT_S)

    async def ask(method: str, target: str, body: Any) -> Any:
        content = b"" if body is None else msgspec.json.encode(body)
        return _read(*await _call(app, method, f"{ADMIN}{target}", content))

    return ask


def _raise(exc: BaseException) -> str:
    """There is no log here to keep a bug for later."""
    raise exc


async def _call(app: ASGIApp, method: str, target: str, content: bytes) -> tuple[int, bytes]:
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "headers": [(b"content-type", b"application/json")],
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def _read(status: int, content: bytes) -> Any:
    try:
        answer = msgspec.json.decode(content) if content else None
    except msgspec.DecodeError as exc:
        raise StartError(f"the answer ({status}) is no JSON; is that Auth's URL?") from exc
    if not 200 <= status < 300:
        detail = answer.get("detail") if isinstance(answer, dict) else None
        raise StartError(f"{detail or 'refused'} ({status})")
    return answer
