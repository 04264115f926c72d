"""The one table of failures on both wires, row by row."""

import pytest
from grpclib.const import Status

from svckit import errors
from svckit.status import TABLE, wire_status

EXPECTED = {
    errors.InvalidRequest: (Status.INVALID_ARGUMENT, 400),
    errors.MalformedMessage: (Status.INVALID_ARGUMENT, 400),
    errors.TooLarge: (Status.RESOURCE_EXHAUSTED, 413),
    errors.Unauthenticated: (Status.UNAUTHENTICATED, 401),
    errors.Forbidden: (Status.PERMISSION_DENIED, 403),
    errors.NotFound: (Status.NOT_FOUND, 404),
    errors.Conflict: (Status.ALREADY_EXISTS, 409),
    errors.PreconditionFailed: (Status.FAILED_PRECONDITION, 412),
    errors.Overloaded: (Status.RESOURCE_EXHAUSTED, 429),
    errors.Unavailable: (Status.UNAVAILABLE, 503),
    errors.DeadlineExceeded: (Status.DEADLINE_EXCEEDED, 504),
    errors.Internal: (Status.INTERNAL, 500),
}


def subclasses(kind: type[errors.ServiceError]) -> set[type[errors.ServiceError]]:
    return {kind, *(below for child in kind.__subclasses__() for below in subclasses(child))}


@pytest.mark.parametrize(("kind", "expected"), EXPECTED.items())
def test_each_failure_looks_as_expected_on_both_wires(
    kind: type[errors.ServiceError], expected: tuple[Status, int]
) -> None:
    row = wire_status(kind("a sentence"))

    assert (row.grpc, row.http) == expected


def test_every_kind_of_failure_has_a_row_of_its_own_or_of_a_parent() -> None:
    kinds = subclasses(errors.ServiceError) - {errors.ServiceError}

    assert kinds >= EXPECTED.keys()
    assert [kind for kind in kinds if not any(parent in TABLE for parent in kind.__mro__)] == []


def test_the_table_has_no_row_for_the_base_of_all() -> None:
    # Else a failure that nobody thought of would pass as thought of.
    assert errors.ServiceError not in TABLE
    with pytest.raises(AssertionError, match="ServiceError has no row"):
        wire_status(errors.ServiceError("what is this?"))


def test_a_failure_is_a_failure_on_both_wires() -> None:
    assert all(row.grpc is not Status.OK for row in TABLE.values())
    assert all(400 <= row.http <= 599 for row in TABLE.values())
    assert all(row.title for row in TABLE.values())
