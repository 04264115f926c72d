"""The codec: google's bytes, our dataclasses, and nothing malformed between them."""

import dataclasses
import importlib.util
from typing import Any, cast

import betterproto
import pytest
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

import generated.access.v1 as access
from generated.access.v1 import CheckLocalsResponse, ExplainAccessResponse
from generated.auth import (
    GetUserPermissionsResponse,
    ValidateLocalRequest,
    ValidateLocalResponse,
    VerifyTokenResponse,
)
from svckit.codec import ProtobufCodec
from svckit.errors import MalformedMessage
from tests.unit.svckit.schema import (
    DESCRIPTOR_SET,
    dataclass_of,
    google_class,
    message_names,
    open_codec,
)

codec = open_codec()
REASON: Any = access.Reason  # betterproto's enums have no types

SAMPLES: tuple[betterproto.Message, ...] = (
    ValidateLocalRequest(user_id="u", organization_id="o", local_id="l"),
    ValidateLocalRequest(),
    ValidateLocalResponse(is_valid=True, local_name="Centro ☀", error_message=""),
    VerifyTokenResponse(is_valid=True, user_id="u", permissions=["a:read", "", "b:read"]),
    GetUserPermissionsResponse(permissions=[]),
    CheckLocalsResponse(
        request_id=7,
        reasons=[REASON.ALLOWED, REASON.NOT_ASSIGNED],
        local_names=["Centro", ""],
        revision=2**63,
    ),
    ExplainAccessResponse(reason=REASON.NOT_ASSIGNED, conditions=["a user"], holds=[True, False]),
)


def full_name(message: betterproto.Message) -> str:
    return f"{type(message).__module__.removeprefix('generated.')}.{type(message).__name__}"


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: type(m).__name__)
def test_a_message_comes_back_as_it_went(message: betterproto.Message) -> None:
    assert codec.decode(codec.encode(message, type(message)), type(message)) == message


@pytest.mark.parametrize("message", SAMPLES, ids=lambda m: type(m).__name__)
def test_our_bytes_are_those_of_betterproto_and_of_google(message: betterproto.Message) -> None:
    fields = cast(Any, message).to_pydict(casing=betterproto.Casing.SNAKE)

    data = codec.encode(message, type(message))

    assert data == bytes(message)
    assert data == google_class(full_name(message))(**fields).SerializeToString()


def test_a_google_message_passes_as_it_is() -> None:
    kind = google_class("auth.ValidateLocalRequest")
    message = cast(Any, kind)(user_id="u")

    assert codec.decode(codec.encode(message, kind), kind) == message


def test_an_enum_of_a_later_version_passes_as_its_number() -> None:
    data = google_class("access.v1.CheckLocalsResponse")(reasons=[99]).SerializeToString()

    assert codec.decode(data, CheckLocalsResponse).reasons == [99]


def test_a_dear_message_can_do_without_its_dataclass() -> None:
    kind = codec.wire_class(ValidateLocalRequest)

    data = codec.encode(cast(Any, kind)(user_id="u"), kind)

    assert codec.decode(data, ValidateLocalRequest) == ValidateLocalRequest(user_id="u")


def test_no_enum_has_an_answer_at_zero() -> None:
    enums = [
        enum
        for file in FileDescriptorSet.FromString(DESCRIPTOR_SET).file
        for enum in file.enum_type
    ]

    assert {enum.name for enum in enums} == {"Reason", "TokenVerdict"}
    assert all(enum.value[0].name.endswith("_UNSPECIFIED") for enum in enums)


def test_the_schema_needs_no_more_than_the_codec_can() -> None:
    # Sub-messages cost 40 us each in betterproto and recursion can be made bottomless, so our
    # messages are flat: scalars and lists of scalars. That leaves no Struct and no Duration either.
    composite = (FieldDescriptorProto.TYPE_MESSAGE, FieldDescriptorProto.TYPE_GROUP)
    for file in FileDescriptorSet.FromString(DESCRIPTOR_SET).file:
        for message in file.message_type:
            assert not message.nested_type
            assert [field.name for field in message.field if field.type in composite] == []


@pytest.mark.parametrize("name", message_names())
def test_every_message_has_a_class_with_the_same_fields(name: str) -> None:
    kind = dataclass_of(name)

    fields = [field.name for field in google_class(name).DESCRIPTOR.fields]

    assert [field.name for field in dataclasses.fields(cast(Any, kind))] == fields
    assert codec.decode(b"", kind) == kind()


@pytest.mark.parametrize(
    "data",
    [
        b"\x0a",
        b"\x0a\x05ab",
        b"\x0a\xff\xff\xff\xff\x0f",
        b"\x0a\x01\xff",
        b"\x0a\x03\xed\xa0\x80",
        b"\xff" * 11,
        b"\x00\x00",
        b"\x0b\x0a",
        b"\x0c",
        b"\x1b" * 5000,
        b"\x1b" * 5000 + b"\x1c" * 5000,
    ],
    ids=[
        "length missing",
        "text cut short",
        "length of 4 GiB",
        "not UTF-8",
        "a surrogate in UTF-8",
        "number without end",
        "field number 0",
        "group not ended",
        "group ended, not begun",
        "groups nested without end",
        "groups nested too deep",
    ],
)
def test_bytes_that_are_no_message_are_malformed(data: bytes) -> None:
    with pytest.raises(MalformedMessage, match="not a valid protobuf message"):
        codec.decode(data, ValidateLocalRequest)


def test_a_truncated_message_is_malformed_or_has_lost_whole_fields() -> None:
    whole = ValidateLocalRequest(user_id="user", organization_id="org", local_id="local")
    data = bytes(whole)

    for length in range(len(data)):
        try:
            part = codec.decode(data[:length], ValidateLocalRequest)
        except MalformedMessage:
            continue
        # Cut between two fields: what is left is theirs, and the last one is gone.
        assert part.user_id in ("", whole.user_id)
        assert part.organization_id in ("", whole.organization_id)
        assert part.local_id == ""


@pytest.mark.parametrize("data", [b"\x08\x01", b"\x0d\x01\x02\x03\x04", b"\x0b\x0c", b"\x52\x01x"])
def test_a_field_of_another_wire_type_or_number_is_unknown_and_leaves_ours_empty(
    data: bytes,
) -> None:
    # The protobuf rule for schemas that grew. An empty id is then refused by the question itself.
    message = codec.decode(data, ValidateLocalRequest)

    assert message == ValidateLocalRequest()
    assert codec.encode(message, ValidateLocalRequest) == b""


def test_of_a_field_sent_twice_the_last_counts() -> None:
    assert codec.decode(b"\x0a\x01a\x0a\x01b", ValidateLocalRequest).user_id == "b"


def test_a_message_of_another_type_is_not_encoded() -> None:
    with pytest.raises(TypeError, match="expected ValidateLocalResponse, not ValidateLocalReq"):
        codec.encode(ValidateLocalRequest(), ValidateLocalResponse)


@pytest.mark.parametrize(
    "values",
    [
        {"is_valid": "yes"},
        {"is_valid": 1.0},
        {"local_name": 1},
        {"local_name": b"\xff"},
        {"local_name": "\ud800"},
        {"local_name": ["Centro"]},
    ],
)
def test_a_field_that_holds_what_it_cannot_is_not_encoded(values: dict[str, Any]) -> None:
    with pytest.raises((TypeError, ValueError)):
        codec.encode(ValidateLocalResponse(**values), ValidateLocalResponse)


def test_two_codecs_share_a_pool() -> None:
    pool = DescriptorPool()

    one, two = open_codec(pool), open_codec(pool)

    message = ValidateLocalRequest(user_id="u")
    assert two.decode(one.encode(message, type(message)), type(message)) == message


def test_a_message_that_the_descriptor_set_does_not_have_is_our_bug() -> None:
    empty = ProtobufCodec(b"", root="generated", pool=DescriptorPool())

    with pytest.raises(KeyError, match=r"auth\.ValidateLocalRequest"):
        empty.encode(ValidateLocalRequest(), ValidateLocalRequest)


def test_a_message_with_a_message_inside_is_our_bug() -> None:
    pool = DescriptorPool()
    nested = FileDescriptorSet()
    file = nested.file.add(name="auth.proto", package="auth")
    message = file.message_type.add(name="ValidateLocalRequest")
    message.field.add(name="user_id", number=1, type="TYPE_MESSAGE", label="LABEL_OPTIONAL")
    message.field[0].type_name = ".auth.ValidateLocalRequest"
    recursive = ProtobufCodec(nested.SerializeToString(), root="generated", pool=pool)

    with pytest.raises(AssertionError, match="user_id is not a scalar"):
        recursive.decode(b"", ValidateLocalRequest)
    assert GetMessageClass(pool.FindMessageTypeByName("auth.ValidateLocalRequest"))


def test_the_codec_that_can_be_crashed_is_not_installed() -> None:
    # betterproto would pick it up silently.
    assert importlib.util.find_spec("betterproto_rust_codec") is None
