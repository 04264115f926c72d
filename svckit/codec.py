"""Bytes are parsed and written by google protobuf; the code sees betterproto dataclasses.

betterproto's own parsers are not used: the pure one accepts truncated input, the Rust one can be
crashed by it. Each betterproto class is paired with the google class of the same full name, from
the FileDescriptorSet that `just generate` writes beside the code.
"""

from typing import Any

import betterproto
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from grpclib.encoding.base import CodecBase

from svckit.errors import MalformedMessage

__all__ = ["ProtobufCodec"]


class ProtobufCodec(CodecBase):
    """A grpclib codec over the schema in `descriptor_set` (the bytes of a FileDescriptorSet).

    `root` is the Python package that holds the betterproto code: class `<root>.auth.Question` is
    the message `auth.Question`. Google message classes (health, reflection) pass as they are.
    Enums are plain integers, for a server may send one that we do not know.
    """

    __content_subtype__ = "proto"

    def __init__(self, descriptor_set: bytes, *, root: str, pool: DescriptorPool) -> None:
        self._root = root
        self._pool = pool
        self._classes: dict[type, tuple[type[Message], tuple[tuple[str, bool], ...]]] = {}
        for file in FileDescriptorSet.FromString(descriptor_set).file:
            # As protoc embeds it in Python code, so that a program may load such code beside ours:
            # a pool takes the same file twice only when the bytes are the same.
            for field in (field for message in file.message_type for field in message.field):
                field.ClearField("json_name")
            pool.AddSerializedFile(file.SerializeToString())

    def encode(self, message: Any, message_type: Any) -> bytes:
        """Raises TypeError for another type, TypeError or ValueError for a field's wrong value."""
        if type(message) is not message_type:
            raise TypeError(f"expected {message_type.__name__}, not {type(message).__name__}")
        if isinstance(message, Message):
            return message.SerializeToString()
        google_class, fields = self._pair(message_type)
        values = {name: getattr(message, name) for name, _ in fields}
        return google_class(**values).SerializeToString()

    def decode(self, data: bytes, message_type: Any) -> Any:
        """Raises MalformedMessage when `data` is no such message."""
        is_google = issubclass(message_type, Message)
        google_class, fields = (message_type, ()) if is_google else self._pair(message_type)
        try:
            parsed = google_class.FromString(data)
        except DecodeError as exc:
            raise MalformedMessage("the request is not a valid protobuf message") from exc
        if is_google:
            return parsed
        return message_type(
            **{
                name: list(getattr(parsed, name)) if is_repeated else getattr(parsed, name)
                for name, is_repeated in fields
            }
        )

    def wire_class(self, message_type: type) -> type[Message]:
        """The google class that carries `message_type`, for where a message is too dear as a
        dataclass (50 us to make, where this takes 4): the codec passes its messages as they are.
        """
        return self._pair(message_type)[0]

    def _pair(self, message_type: type) -> tuple[type[Message], tuple[tuple[str, bool], ...]]:
        if pair := self._classes.get(message_type):
            return pair
        assert issubclass(message_type, betterproto.Message), message_type
        package = message_type.__module__.removeprefix(self._root + ".")
        descriptor = self._pool.FindMessageTypeByName(f"{package}.{message_type.__name__}")
        pair = (GetMessageClass(descriptor), _scalar_fields(descriptor))
        self._classes[message_type] = pair
        return pair


def _scalar_fields(descriptor: Descriptor) -> tuple[tuple[str, bool], ...]:
    """Name and repeatedness of each field. Our messages are flat, so anything else is our bug."""
    for field in descriptor.fields:
        assert field.cpp_type != FieldDescriptor.CPPTYPE_MESSAGE, (
            f"{field.full_name} is not a scalar"
        )
    return tuple((field.name, field.is_repeated) for field in descriptor.fields)
