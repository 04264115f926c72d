"""The wire of auth.proto is the one it was first published with, for good."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)
from grpc_tools import protoc

from authsvc.grpc_api import AuthGrpc
from generated.auth import AuthServiceBase

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).with_name("first.txt")


def golden_lines() -> list[str]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()) for line in lines if line and not line.startswith("#")]


def auth_file(descriptor_set: bytes) -> FileDescriptorProto:
    [file] = [f for f in FileDescriptorSet.FromString(descriptor_set).file if f.package == "auth"]
    return file


def compiled(tmp_path: Path) -> FileDescriptorProto:
    out = tmp_path / "auth.binpb"
    include = Path(grpc_tools.__file__).parent / "_proto"
    command = ["protoc", f"-I{ROOT / 'proto'}", f"-I{include}", f"--descriptor_set_out={out}"]
    assert protoc.main([*command, "auth.proto"]) == 0
    return auth_file(out.read_bytes())


def committed(_: Path) -> FileDescriptorProto:
    return auth_file((ROOT / "generated" / "portero.binpb").read_bytes())


def first_published(_: Path) -> FileDescriptorProto:
    """The image that `buf breaking` compares with."""
    return auth_file(Path(__file__).with_name("first.binpb").read_bytes())


def describe(file: FileDescriptorProto) -> Iterator[str]:
    yield f"syntax {file.syntax}"
    yield f"package {file.package}"
    for service in file.service:
        yield f"service {service.name}"
        for rpc in service.method:
            assert not rpc.client_streaming
            assert not rpc.server_streaming
            yield " ".join([rpc.name, bare(rpc.input_type), bare(rpc.output_type)])
    for message in file.message_type:
        yield f"message {message.name}"
        yield from describe_fields(message)


def describe_fields(message: DescriptorProto) -> Iterator[str]:
    kinds = FieldDescriptorProto.Type
    for field in message.field:
        words = [str(field.number), field.name]
        if field.label == FieldDescriptorProto.LABEL_REPEATED:
            words.append("repeated")
        yield " ".join([*words, kinds.Name(field.type).removeprefix("TYPE_").lower()])


def bare(type_name: str) -> str:
    return type_name.removeprefix(".auth.")


@pytest.mark.parametrize("source", [compiled, committed, first_published])
def test_the_contract_is_word_for_word_the_first_one(
    source: Callable[[Path], FileDescriptorProto], tmp_path: Path
) -> None:
    file = source(tmp_path)

    assert list(describe(file)) == golden_lines()
    # Whatever the description has no words for is not there.
    assert not file.enum_type
    assert not file.extension
    assert not file.dependency
    assert not any(m.oneof_decl or m.nested_type or m.reserved_range for m in file.message_type)
    assert not any(field.proto3_optional for m in file.message_type for field in m.field)


def test_the_committed_descriptors_are_those_of_the_committed_proto(tmp_path: Path) -> None:
    assert compiled(tmp_path) == committed(tmp_path)


def test_our_server_answers_exactly_the_published_paths() -> None:
    rpcs = ("ValidateLocal", "VerifyToken", "GetUserPermissions")
    server: AuthServiceBase = AuthGrpc.__new__(AuthGrpc)

    assert set(server.__mapping__()) == {f"/auth.AuthService/{rpc}" for rpc in rpcs}
