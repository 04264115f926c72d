"""Asks a server as grpcio does: health, reflection and a question; prints what it got as JSON.

A process of its own: grpcio's health messages and grpclib's cannot be loaded side by side.
"""

import json
import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

TIMEOUT_S = 5.0


def main(address: str) -> None:
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        seen = {
            "health": _health(channel),
            "services": sorted(database.get_services()),
            "answer": _validate(channel, DescriptorPool(database)),
        }
    print(json.dumps(seen))


def _health(channel: grpc.Channel) -> list[int]:
    stub = health_pb2_grpc.HealthStub(channel)
    return [
        stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=TIMEOUT_S).status
        for name in ("", "auth.AuthService")
    ]


def _validate(channel: grpc.Channel, pool: DescriptorPool) -> str:
    """Asks with messages that were learned by reflection alone."""
    method = pool.FindServiceByName("auth.AuthService").FindMethodByName("ValidateLocal")
    ask = channel.unary_unary(
        "/auth.AuthService/ValidateLocal",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    question = GetMessageClass(method.input_type)(user_id="u1", local_id="l1")
    return str(ask(question, timeout=TIMEOUT_S).local_name)


if __name__ == "__main__":
    main(sys.argv[1])
