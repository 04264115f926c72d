"""REST answers that no cache may keep, and bugs that look like something else."""

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from svckit.errors import Unavailable
from svckit.rest import Answer, Endpoint, json_answer, rest_app
from tests.asgi import ask, assert_problem


class Bugs:
    """The log of a test: what was reported, under which id."""

    def __init__(self) -> None:
        self.reported: list[BaseException] = []

    def report(self, bug: BaseException) -> str:
        self.reported.append(bug)
        return f"bug-{len(self.reported)}"


class Panic(BaseException):
    """What an extension module written in Rust raises when it has failed."""


def app(answer: Answer, bugs: Bugs | None = None) -> ASGIApp:
    endpoint = Endpoint(method="GET", path="/x", summary="", answer=answer)
    return rest_app([endpoint], report_bug=(bugs or Bugs()).report, timeout_s=5.0)


def raising(error: BaseException) -> Answer:
    async def answer(_: Request) -> Response:
        raise error

    return answer


async def yes(_: Request) -> Response:
    return json_answer({"is_valid": True}, headers={"x-source": "GRPC"})


async def test_an_answer_is_not_for_caches() -> None:
    got = await ask(app(yes), "GET", "/x")

    assert got.status == 200
    assert got.headers["cache-control"] == "no-store"
    assert got.headers["x-source"] == "GRPC"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/x", 503), ("GET", "/nowhere", 404), ("DELETE", "/x", 405)],
)
async def test_a_problem_is_not_for_caches(method: str, path: str, status: int) -> None:
    got = await ask(app(raising(Unavailable("the store is down"))), method, path)

    assert got.status == status
    assert got.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "error", [TimeoutError("ETIMEDOUT somewhere"), Panic("assertion failed")], ids=repr
)
async def test_a_bug_that_is_no_ordinary_exception_is_told_by_its_id_too(
    error: BaseException,
) -> None:
    bugs = Bugs()

    got = await ask(app(raising(error), bugs), "GET", "/x")

    assert_problem(got, 500, "Internal error", "internal error bug-1")
    assert bugs.reported == [error]
