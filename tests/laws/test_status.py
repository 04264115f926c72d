"""Law of the status table: whoever inherits from a failure looks like it, and like a failure."""

import pytest
from grpclib.const import Status
from hypothesis import given
from hypothesis import strategies as st

from svckit.errors import ServiceError
from svckit.status import TABLE, wire_status

names = st.lists(st.text("abc", min_size=1), max_size=4)


def descendant(kind: type[ServiceError], generations: list[str]) -> ServiceError:
    """Made past `__init__`, which is each kind's own business."""
    for name in generations:
        kind = type(name, (kind,), {})
    return kind.__new__(kind)


@given(st.sampled_from(sorted(TABLE, key=lambda kind: kind.__name__)), names)
def test_any_descendant_has_the_row_of_its_ancestor_and_no_other(
    kind: type[ServiceError], generations: list[str]
) -> None:
    row = wire_status(descendant(kind, generations))

    assert row is TABLE[kind]
    assert row.grpc is not Status.OK
    assert 400 <= row.http <= 599


@given(names)
def test_a_failure_that_nobody_thought_of_has_no_row(generations: list[str]) -> None:
    with pytest.raises(AssertionError, match="no row"):
        wire_status(descendant(ServiceError, generations))
