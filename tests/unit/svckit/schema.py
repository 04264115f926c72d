"""The committed descriptor set, as the codec's tests need it."""

from importlib import import_module
from pathlib import Path

import betterproto
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from svckit.codec import ProtobufCodec

__all__ = ["DESCRIPTOR_SET", "open_codec", "google_class", "dataclass_of", "message_names"]

DESCRIPTOR_SET = (Path(__file__).parents[3] / "generated" / "portero.binpb").read_bytes()


def open_codec(pool: DescriptorPool | None = None) -> ProtobufCodec:
    return ProtobufCodec(DESCRIPTOR_SET, root="generated", pool=pool or DescriptorPool())


def message_names() -> list[str]:
    """Full names: "auth.ValidateLocalRequest"."""
    files = FileDescriptorSet.FromString(DESCRIPTOR_SET).file
    return [f"{file.package}.{m.name}" for file in files for m in file.message_type]


def dataclass_of(name: str) -> type[betterproto.Message]:
    package, _, bare = name.rpartition(".")
    kind: type[betterproto.Message] = getattr(import_module(f"generated.{package}"), bare)
    return kind


def google_class(name: str) -> type[Message]:
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(DESCRIPTOR_SET).file:
        pool.AddSerializedFile(file.SerializeToString())
    return GetMessageClass(pool.FindMessageTypeByName(name))
