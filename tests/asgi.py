"""One HTTP request to an ASGI app in memory: exact bytes in, exact bytes out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.types import ASGIApp, Message, Scope

__all__ = ["HttpAnswer", "ask", "assert_problem"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


async def ask(
    app: ASGIApp,
    method: str,
    target: str,
    *,
    body: Sequence[bytes] = (),
    headers: dict[str, str] | None = None,
) -> HttpAnswer:
    """`target` is sent as it is, so it must be percent-encoded; `body` comes in these chunks."""
    path, _, query = target.partition("?")
    scope: Scope = {
        "type": "http",
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(k.encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }
    last = len(body) - 1
    incoming: list[Message] = [
        {"type": "http.request", "body": chunk, "more_body": i < last}
        for i, chunk in enumerate(body)
    ] or [{"type": "http.request", "body": b"", "more_body": False}]
    sent: list[Message] = []

    async def receive() -> Message:
        return incoming.pop(0) if incoming else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *chunks = sent
    return HttpAnswer(
        status=start["status"],
        headers={k.decode(): v.decode() for k, v in start["headers"]},
        body=b"".join(chunk.get("body", b"") for chunk in chunks),
    )


def assert_problem(answer: HttpAnswer, status: int, title: str, detail: str) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.status == status
    assert answer.json() == {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
    }
