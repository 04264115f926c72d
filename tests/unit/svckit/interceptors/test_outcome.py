import asyncio

import pytest
from grpclib.const import Status
from grpclib.exceptions import GRPCError, StreamTerminatedError

from svckit import errors
from svckit.interceptors.outcome import code_of, is_failure
from svckit.rpc import RpcCall
from svckit.status import TABLE


@pytest.mark.parametrize("status", Status)
def test_a_grpc_error_is_named_by_its_status(status: Status) -> None:
    assert code_of(GRPCError(status)) == status.name


@pytest.mark.parametrize("kind", TABLE)
def test_each_error_of_the_status_table_has_its_grpc_name(kind: type[errors.ServiceError]) -> None:
    assert code_of(kind("why")) == TABLE[kind].grpc.name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, "OK"),
        (asyncio.CancelledError(), "CANCELLED"),
        (TimeoutError(), "DEADLINE_EXCEEDED"),
        (ConnectionRefusedError(), "UNAVAILABLE"),
        (OSError(), "UNAVAILABLE"),
        (StreamTerminatedError(), "UNAVAILABLE"),
        (errors.MalformedMessage("why"), "INVALID_ARGUMENT"),
        (ValueError(), "UNKNOWN"),
        (KeyboardInterrupt(), "UNKNOWN"),
    ],
)
def test_every_other_end_of_a_call_has_a_name(error: BaseException | None, code: str) -> None:
    assert code_of(error) == code


@pytest.mark.parametrize("status", Status)
def test_any_code_but_ok_is_a_failure_to_the_client(status: Status) -> None:
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="client")

    assert is_failure(call, status.name) is (status is not Status.OK)


@pytest.mark.parametrize(
    ("status", "failed"),
    [
        (Status.OK, False),
        (Status.INVALID_ARGUMENT, False),
        (Status.NOT_FOUND, False),
        (Status.PERMISSION_DENIED, False),
        (Status.RESOURCE_EXHAUSTED, False),
        (Status.INTERNAL, True),
        (Status.UNAVAILABLE, True),
        (Status.DEADLINE_EXCEEDED, True),
        (Status.CANCELLED, True),
    ],
)
def test_what_the_caller_did_wrong_is_no_failure_of_the_server(
    status: Status, *, failed: bool
) -> None:
    call = RpcCall(method="auth.AuthService/ValidateLocal", side="server")

    assert is_failure(call, status.name) is failed
