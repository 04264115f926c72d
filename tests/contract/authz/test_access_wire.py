"""Tokens and permissions by access.v1: what is missing in an answer is no answer."""

from typing import Any

import pytest

from catalogsvc.authz.transport import Failure, PathFailed
from generated.access import v1 as access
from tests.contract.authz.fake_access import AccessService
from tests.contract.authz.fake_auth import FakeAuth, serve_grpc
from tests.contract.authz.scripted import serve_script
from tests.contract.authz.wires import open_grpc, soon

LOST: list[dict[str, Any]] = [{"revision": 0}, {"database_id": ""}]


@pytest.mark.parametrize("lost", [*LOST, {"expires_at": 0}])
async def test_a_token_without_its_facts_is_not_taken(lost: dict[str, Any]) -> None:
    fake = FakeAuth(tokens={"good": ("u1", "o1", ())}, **lost)
    async with serve_grpc(fake) as target:
        transport = open_grpc(target)
        with pytest.raises(PathFailed) as caught:
            await transport.verify_token("good", deadline=soon())
        await transport.close()

    assert caught.value.failure is Failure.UNINTELLIGIBLE


@pytest.mark.parametrize("lost", [*LOST, {"organization_id": ""}])
async def test_permissions_without_their_facts_are_not_taken(lost: dict[str, Any]) -> None:
    fake = FakeAuth(permissions={"u1": ()}, **lost)
    async with serve_grpc(fake) as target:
        transport = open_grpc(target)
        with pytest.raises(PathFailed) as caught:
            await transport.get_user_permissions("u1", deadline=soon())
        await transport.close()

    assert caught.value.failure is Failure.UNINTELLIGIBLE


class Undecided(AccessService):
    def __init__(self, verdict: int) -> None:
        super().__init__(FakeAuth())
        self._verdict = verdict

    async def verify_token(
        self, verify_token_request: access.VerifyTokenRequest
    ) -> access.VerifyTokenResponse:
        return access.VerifyTokenResponse(
            verdict=self._verdict,  # type: ignore[arg-type] # also a number that is no verdict yet
            user_id="u1",
            organization_id="o1",
            expires_at=4_102_444_800,
            revision=1,
            database_id="db-1",
        )


@pytest.mark.parametrize("verdict", [0, 3, -1])
async def test_a_token_with_no_known_verdict_is_neither_valid_nor_invalid(verdict: int) -> None:
    async with serve_script(Undecided(verdict)) as target:
        transport = open_grpc(target)
        with pytest.raises(PathFailed) as caught:
            await transport.verify_token("good", deadline=soon())
        await transport.close()

    assert caught.value.failure is Failure.UNINTELLIGIBLE
