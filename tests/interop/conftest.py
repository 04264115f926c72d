"""Stubs for grpcio, compiled from proto/auth.proto by Google's own compiler."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from grpc_tools import protoc

ROOT = Path(__file__).parents[2]


class GoogleStubs(NamedTuple):
    messages: ModuleType
    services: ModuleType


@pytest.fixture(scope="session")
def google_stubs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoogleStubs]:
    """What grpcio's own generator makes of the contract: auth_pb2 and auth_pb2_grpc."""
    out = tmp_path_factory.mktemp("google_stubs")
    arguments = [f"-I{ROOT / 'proto'}", f"--python_out={out}", f"--grpc_python_out={out}"]
    assert protoc.main(["protoc", *arguments, str(ROOT / "proto" / "auth.proto")]) == 0
    sys.path.insert(0, str(out))
    try:
        yield GoogleStubs(
            importlib.import_module("auth_pb2"), importlib.import_module("auth_pb2_grpc")
        )
    finally:
        sys.path.remove(str(out))
        for name in ("auth_pb2", "auth_pb2_grpc"):
            sys.modules.pop(name, None)
