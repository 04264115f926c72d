"""The seed's messages and stubs, made by Google's own compiler when they are needed."""

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Stubs", "compile_stubs", "load_stubs"]

PROTO = Path(__file__).parent.parent / "proto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stubs:
    messages: Any  # modules that exist only at run time
    services: Any


def compile_stubs(folder: Path) -> None:
    from grpc_tools import protoc  # only who compiles needs it

    options = [f"-I{PROTO}", f"--python_out={folder}", f"--grpc_python_out={folder}"]
    code = protoc.main(["protoc", *options, str(PROTO / "auth.proto")])
    assert code == 0, "proto/auth.proto does not compile"


def load_stubs(folder: str) -> Stubs:
    """Only in a process that has not loaded Portero's own: their messages share their names."""
    sys.path.insert(0, folder)
    return Stubs(
        messages=importlib.import_module("auth_pb2"),
        services=importlib.import_module("auth_pb2_grpc"),
    )
