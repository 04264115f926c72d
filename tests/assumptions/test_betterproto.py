"""What the gRPC transport leans on in betterproto: the classes and stubs, never its parsers."""

import importlib.util

import betterproto
import pytest

from catalogsvc.authz.grpc_transport import open_codec
from generated import auth
from svckit.errors import MalformedMessage


def test_the_rust_codec_is_not_installed() -> None:
    assert importlib.util.find_spec("betterproto_rust_codec") is None


def test_a_stub_keeps_whatever_stands_in_for_its_channel() -> None:
    channel = object()

    assert auth.AuthServiceStub(channel).channel is channel  # type: ignore[arg-type] # on purpose


def test_neither_direction_uses_betterprotos_own_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("betterproto parsed or wrote bytes")

    monkeypatch.setattr(betterproto.Message, "__bytes__", refuse)
    monkeypatch.setattr(betterproto.Message, "parse", refuse)
    codec = open_codec()
    answer = auth.ValidateLocalResponse(is_valid=True, local_name="Ñandú")

    content = codec.encode(answer, auth.ValidateLocalResponse)
    decoded = codec.decode(content, auth.ValidateLocalResponse)

    assert (decoded.is_valid, decoded.local_name) == (True, "Ñandú")


def test_truncated_bytes_are_refused() -> None:
    codec = open_codec()
    content = codec.encode(
        auth.ValidateLocalResponse(is_valid=True, local_name="Centro"), auth.ValidateLocalResponse
    )

    with pytest.raises(MalformedMessage):
        codec.decode(content[:-1], auth.ValidateLocalResponse)


def test_two_codecs_do_not_meet_in_one_pool() -> None:
    assert open_codec()._pool is not open_codec()._pool
