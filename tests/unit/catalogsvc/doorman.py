"""A doorman with a list: says of each token and each local what the test wrote down."""

import asyncio
from collections.abc import Callable

from catalogsvc.authz import AuthUnavailable, Decision, Identity, InvalidToken, Reason, Source
from catalogsvc.entrance import Permission
from svckit.deadline import Deadline

__all__ = ["FakeDoorman"]


class FakeDoorman:
    """Fulfils `Doorman`. Until told otherwise it knows no token and lets no one in."""

    def __init__(self) -> None:
        self.source = Source.GRPC
        # "down": refuses at once; "silent": answers nothing until the deadline.
        self.state = "up"
        self.deadlines: list[Deadline] = []
        # What happens while the next questions are out, one for each.
        self.meanwhile: list[Callable[[], None]] = []
        self._identities: dict[str, Identity] = {}
        self._decisions: dict[tuple[str, str, str], Reason] = {}

    def knows(self, token: str, *, organization_id: str, permissions: set[Permission]) -> None:
        """`token` speaks for a user of the same name."""
        self._identities[token] = Identity(
            user_id=token,
            organization_id=organization_id,
            permissions=frozenset(permissions),
            source=Source.GRPC,
        )

    def decides(self, token: str, local_id: str, reason: Reason) -> None:
        organization_id = self._identities[token].organization_id
        self._decisions[token, organization_id, local_id] = reason

    async def verify_token(self, token: str, *, deadline: Deadline | None = None) -> Identity:
        await self._answers(deadline)
        if token not in self._identities:
            raise InvalidToken("bad signature")
        return self._identities[token]

    async def validate_local(
        self,
        *,
        user_id: str,
        organization_id: str,
        local_id: str,
        deadline: Deadline | None = None,
    ) -> Decision:
        await self._answers(deadline)
        question = (user_id, organization_id, local_id)
        reason = self._decisions.get(question, Reason.UNKNOWN_LOCAL)
        return Decision(reason=reason, source=self.source)

    async def _answers(self, deadline: Deadline | None) -> None:
        assert deadline is not None, "asked without a deadline"
        self.deadlines.append(deadline)
        if self.meanwhile:
            self.meanwhile.pop(0)()
        if self.state == "silent":
            await asyncio.sleep(deadline.left_s(asyncio.get_running_loop().time()))
        if self.state != "up":
            raise AuthUnavailable(tried=("grpc", "rest"), retry_after_s=7.0)
