"""Tasks of one stream, and the error that ends it."""

import asyncio

import pytest

from svckit.errors import MalformedMessage
from svckit.owned_tasks import owned_tasks


async def fail_at_once() -> None:
    raise MalformedMessage("no message")


async def fail_beside_a_task(cause: Exception) -> None:
    async with owned_tasks() as tasks:
        tasks.create_task(asyncio.sleep(60))
        raise MalformedMessage("no message") from cause


async def wait_beside_a_task_that_fails() -> None:
    async with owned_tasks() as tasks:
        tasks.create_task(fail_at_once())
        await asyncio.sleep(60)


async def test_an_error_comes_out_as_itself_with_its_cause_and_no_task_is_left() -> None:
    cause = ValueError("bytes")

    with pytest.raises(MalformedMessage) as caught:
        await fail_beside_a_task(cause)

    assert caught.value.__cause__ is cause
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_an_error_of_a_task_ends_the_others_and_the_body() -> None:
    with pytest.raises(MalformedMessage):
        await wait_beside_a_task_that_fails()
