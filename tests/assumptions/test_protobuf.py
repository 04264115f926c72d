"""What the codec relies on in google protobuf."""

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.internal import api_implementation
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass


def schema(**fields: str) -> FileDescriptorProto:
    file = FileDescriptorProto(name="t.proto", package="t", syntax="proto3")
    message = file.message_type.add(name="Thing")
    for number, (name, kind) in enumerate(fields.items(), 1):
        message.field.add(
            name=name, number=number, type=f"TYPE_{kind}".upper(), label="LABEL_OPTIONAL"
        )
    return file


def thing(pool: DescriptorPool) -> type[Message]:
    return GetMessageClass(pool.FindMessageTypeByName("t.Thing"))


def open_pool() -> DescriptorPool:
    pool = DescriptorPool()
    pool.AddSerializedFile(schema(name="string").SerializeToString())
    return pool


def test_the_fast_implementation_is_the_one_in_use() -> None:
    # The pure Python one is 100 times slower.
    assert api_implementation.Type() == "upb"


def test_the_same_file_may_be_added_twice() -> None:
    pool = open_pool()

    pool.AddSerializedFile(schema(name="string").SerializeToString())

    assert thing(pool) is thing(pool)


def test_another_file_of_the_same_name_may_not() -> None:
    pool = open_pool()

    with pytest.raises(TypeError):
        pool.AddSerializedFile(schema(name="bytes").SerializeToString())


@pytest.mark.parametrize("data", [b"\x0a", b"\x0a\x01\xff", b"\x00", b"\x0b" * 5000])
def test_whatever_is_malformed_is_a_decode_error(data: bytes) -> None:
    with pytest.raises(DecodeError):
        thing(open_pool()).FromString(data)
