"""Asks Auth as one built from the first contract would: stubs by grpcio-tools, calls by grpcio.

A process of its own, because its messages and ours share their names. Prints JSON.
"""

import importlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from grpc_tools import protoc

PROTO = Path(__file__).parents[2] / "proto"
TIMEOUT_S = 5.0


def main(address: str, token: str) -> None:
    with tempfile.TemporaryDirectory() as out, grpc.insecure_channel(address) as channel:
        arguments = [f"-I{PROTO}", f"--python_out={out}", f"--grpc_python_out={out}"]
        assert protoc.main(["protoc", *arguments, str(PROTO / "auth.proto")]) == 0
        sys.path.insert(0, out)
        messages: Any = importlib.import_module("auth_pb2")
        stub = importlib.import_module("auth_pb2_grpc").AuthServiceStub(channel)
        print(json.dumps({**_asked(messages, stub, token), **_operated(channel)}))


def _asked(messages: Any, stub: Any, token: str) -> dict[str, Any]:
    def validated(user: str, organization: str, local: str) -> list[Any]:
        request = messages.ValidateLocalRequest(
            user_id=user, organization_id=organization, local_id=local
        )
        response = stub.ValidateLocal(request, timeout=TIMEOUT_S)
        return [response.is_valid, response.local_name, response.error_message]

    def verified(text: str) -> list[Any]:
        request = messages.VerifyTokenRequest(token=text)
        response = stub.VerifyToken(request, timeout=TIMEOUT_S)
        who = [response.user_id, response.organization_id, list(response.permissions)]
        return [response.is_valid, *who, response.error_message]

    def permissions(user: str) -> list[str]:
        request = messages.GetUserPermissionsRequest(user_id=user)
        return list(stub.GetUserPermissions(request, timeout=TIMEOUT_S).permissions)

    def code(ask: Any, *arguments: str) -> str:
        try:
            ask(*arguments)
        except grpc.RpcError as exc:
            return str(exc.code().name)
        return "OK"

    return {
        "allowed": validated("ana", "demo", "centro"),
        "denied": validated("ana", "demo", "norte"),
        "elsewhere": validated("ana", "other", "lejano"),
        "valid": verified(token),
        "invalid": verified(token[:-10]),
        "permissions": permissions("luis"),
        "unknown user": code(permissions, "nobody"),
        "empty id": code(validated, "", "demo", "centro"),
        "long id": code(validated, "x" * 129, "demo", "centro"),
        "control character": code(validated, "a\x00", "demo", "centro"),
        "huge token": code(verified, "x" * 300_000),
    }


def _operated(channel: grpc.Channel) -> dict[str, Any]:
    health = health_pb2_grpc.HealthStub(channel)
    statuses = [
        health.Check(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_S).status
        for name in ("", "auth.AuthService")
    ]
    services = sorted(ProtoReflectionDescriptorDatabase(channel).get_services())
    return {"health": statuses, "services": services}


if __name__ == "__main__":
    main(*sys.argv[1:])
