"""Law of messages: whatever an error says, what goes on the wire can kill no connection."""

import asyncio

import pytest
from grpclib.exceptions import GRPCError
from hypothesis import given
from hypothesis import strategies as st

from svckit.errors import InvalidRequest
from svckit.interceptors.errors import translate_errors
from svckit.rpc import RpcCall

CALL = RpcCall(method="auth.AuthService/ValidateLocal", side="server")


@given(st.text(max_size=3000))
def test_any_message_becomes_short_printable_ascii(text: str) -> None:
    async def fail() -> None:
        raise InvalidRequest(text)

    async def translated() -> None:
        await translate_errors(repr)(CALL, fail)

    with pytest.raises(GRPCError) as refusal:
        asyncio.run(translated())

    message = refusal.value.message
    assert message is not None
    assert len(message) == min(len(text), 1024)
    assert all(" " <= char <= "~" for char in message)
