"""REST endpoints: how paths are read, and how every failure is said."""

import asyncio

import msgspec
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp

from svckit import errors
from svckit.rest import (
    Endpoint,
    json_answer,
    path_id,
    rest_app,
)
from svckit.status import TABLE
from tests.asgi import ask, assert_problem


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    id: str


async def read_thing(request: Request) -> Response:
    return json_answer(Thing(id=path_id(request, "thing_id")))


class Bugs:
    """The log of a test: what was reported, under which id."""

    def __init__(self) -> None:
        self.reported: list[BaseException] = []

    def report(self, bug: BaseException) -> str:
        self.reported.append(bug)
        return f"bug-{len(self.reported)}"


def app(*extra: Endpoint, bugs: Bugs | None = None, timeout_s: float = 5.0) -> ASGIApp:
    endpoints = (
        Endpoint(method="GET", path="/things/{thing_id}", summary="", answer=read_thing),
        *extra,
    )
    return rest_app(endpoints, report_bug=(bugs or Bugs()).report, timeout_s=timeout_s)


def raising(error: BaseException) -> Endpoint:
    async def answer(_: Request) -> Response:
        raise error

    return Endpoint(method="GET", path="/raise", summary="", answer=answer)


# Failures


@pytest.mark.parametrize("kind", list(TABLE), ids=lambda kind: kind.__name__)
async def test_each_failure_is_the_problem_of_its_row(kind: type[errors.ServiceError]) -> None:
    error = kind("a plain sentence")

    answer = await ask(app(raising(error)), "GET", "/raise")

    assert_problem(answer, TABLE[kind].http, TABLE[kind].title, error.detail)
    assert ("retry-after" in answer.headers) == (TABLE[kind].http in (429, 503))
    assert ("www-authenticate" in answer.headers) == (TABLE[kind].http == 401)


@pytest.mark.parametrize("retry_after_s", [None, 0.0, 0.2, 1.0, 1.2, 60.0])
async def test_retry_after_is_in_whole_seconds_and_never_zero(retry_after_s: float | None) -> None:
    error = errors.Overloaded("too many calls at once", retry_after_s=retry_after_s)

    answer = await ask(app(raising(error)), "GET", "/raise")

    expected = {None: "1", 0.0: "1", 0.2: "1", 1.0: "1", 1.2: "2", 60.0: "60"}
    assert answer.headers["retry-after"] == expected[retry_after_s]


async def test_a_bug_is_told_by_its_id_and_nothing_of_its_text() -> None:
    bugs = Bugs()
    bug = RuntimeError("password=hunter2")

    answer = await ask(app(raising(bug), bugs=bugs), "GET", "/raise")

    assert_problem(answer, 500, "Internal error", "internal error bug-1")
    assert bugs.reported == [bug]


async def test_a_failure_that_is_nobodys_bug_is_not_reported_as_one() -> None:
    bugs = Bugs()

    await ask(app(raising(errors.Unavailable("the store is down")), bugs=bugs), "GET", "/raise")

    assert bugs.reported == []


async def test_an_answer_that_takes_too_long_is_cut_at_the_time_limit() -> None:
    cancelled = asyncio.Event()

    async def answer(_: Request) -> Response:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError("never set")

    slow = Endpoint(method="GET", path="/slow", summary="", answer=answer)

    got = await ask(app(slow, timeout_s=0.01), "GET", "/slow")

    assert_problem(got, 504, "Deadline exceeded", "no answer within the time limit")
    assert cancelled.is_set()


async def test_a_server_that_stops_cancels_an_answer_without_calling_it_a_failure() -> None:
    bugs = Bugs()
    waiting = asyncio.Event()

    async def answer(_: Request) -> Response:
        waiting.set()
        return await asyncio.Future()

    call = asyncio.create_task(
        ask(
            app(Endpoint(method="GET", path="/x", summary="", answer=answer), bugs=bugs),
            "GET",
            "/x",
        )
    )
    await asyncio.wait_for(waiting.wait(), 5)

    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call

    assert bugs.reported == []


async def test_a_client_that_leaves_is_nobodys_bug() -> None:
    bugs = Bugs()

    answer = await ask(app(raising(ClientDisconnect()), bugs=bugs), "GET", "/raise")

    assert (answer.status, bugs.reported) == (499, [])


# Paths


@pytest.mark.parametrize(
    "target", ["/", "/nowhere", "/things/", "/things/a/b", "//things", "/Things"]
)
async def test_an_unknown_path_is_a_problem(target: str) -> None:
    assert_problem(await ask(app(), "GET", target), 404, "Not Found", "Not Found")


async def test_an_unknown_method_is_a_problem_that_names_those_allowed() -> None:
    answer = await ask(app(), "DELETE", "/things/a")

    assert_problem(answer, 405, "Method Not Allowed", "Method Not Allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        ("a", "a"),
        ("a%2Fb", "a/b"),
        ("..%2f..%2fetc", "../../etc"),
        ("%3F%23%25", "?#%"),
        ("caf%C3%A9", "café"),
        ("%F0%9F%8F%AA", "🏪"),
        ("a+b", "a+b"),
        ("a%20b", "a b"),
        ("%2541", "%41"),
        ("100%", "100%"),
        ("%7B%7D", "{}"),
    ],
)
async def test_an_id_in_the_path_is_decoded_once_slashes_included(
    segment: str, expected: str
) -> None:
    answer = await ask(app(), "GET", f"/things/{segment}")

    assert (answer.status, answer.json()) == (200, {"id": expected})


@pytest.mark.parametrize(
    ("segment", "detail"),
    [
        ("%00", "thing_id holds a control character"),
        ("a%0Ab", "thing_id holds a control character"),
        ("%FF", "thing_id is not valid UTF-8"),
        ("%C3", "thing_id is not valid UTF-8"),
        ("%ED%A0%80", "thing_id is not valid UTF-8"),
        ("x" * 129, "thing_id is longer than 128 bytes"),
    ],
)
async def test_a_bad_id_in_the_path_is_invalid(segment: str, detail: str) -> None:
    answer = await ask(app(), "GET", f"/things/{segment}")

    assert_problem(answer, 400, "Invalid request", detail)
