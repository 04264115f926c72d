"""Laws of the codec: what goes in comes out, and any bytes are a message or malformed."""

from typing import Any

import betterproto
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import given
from hypothesis import strategies as st

from svckit.errors import MalformedMessage
from tests.unit.svckit.schema import dataclass_of, google_class, message_names, open_codec

KINDS = {name: dataclass_of(name) for name in message_names()}
GOOGLE = {name: google_class(name) for name in KINDS}
codec = open_codec()
VALUES: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.CPPTYPE_STRING: st.text(st.characters(exclude_categories=["Cs"])),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
    FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    # Any number: a peer of a later version may know more.
    FieldDescriptor.CPPTYPE_ENUM: st.integers(0, 2**31 - 1),
}


@st.composite
def any_message(draw: st.DrawFn) -> betterproto.Message:
    name = draw(st.sampled_from(sorted(KINDS)))
    values: dict[str, Any] = {}
    for field in GOOGLE[name].DESCRIPTOR.fields:
        value = VALUES[field.cpp_type]
        values[field.name] = draw(st.lists(value, max_size=4) if field.is_repeated else value)
    message: betterproto.Message = KINDS[name](**values)
    return message


@given(any_message())
def test_a_message_comes_back_as_it_went(message: betterproto.Message) -> None:
    data = codec.encode(message, type(message))

    assert codec.decode(data, type(message)) == message
    assert data == bytes(message)


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=64))
def test_any_bytes_are_a_message_or_malformed(name: str, data: bytes) -> None:
    try:
        message = codec.decode(data, KINDS[name])
    except MalformedMessage:
        return

    assert codec.decode(codec.encode(message, KINDS[name]), KINDS[name]) == message


@given(any_message(), st.data())
def test_a_damaged_message_is_a_message_or_malformed(
    message: betterproto.Message, data: st.DataObject
) -> None:
    raw = bytearray(bytes(message) or b"\x00")
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))

    try:
        parsed = codec.decode(bytes(raw), type(message))
    except MalformedMessage:
        return

    assert type(parsed) is type(message)


def test_the_laws_speak_of_every_message() -> None:
    assert len(KINDS) == 22
