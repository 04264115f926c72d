"""Errors: each says whose fault it is, in words that anyone may read."""

import traceback

import pytest

from svckit import errors
from svckit.errors import Internal, MalformedMessage, Overloaded, ServiceError


def test_every_public_error_is_a_service_error() -> None:
    kinds = [getattr(errors, name) for name in errors.__all__]

    assert all(issubclass(kind, ServiceError) for kind in kinds)


def test_an_error_carries_its_sentence_and_when_to_come_back() -> None:
    error = Overloaded("too many calls at once", retry_after_s=2.5)

    assert (str(error), error.detail, error.retry_after_s) == (
        "too many calls at once",
        "too many calls at once",
        2.5,
    )


def test_an_internal_error_says_its_id_and_nothing_else() -> None:
    error = Internal("7f3a")

    assert (error.detail, error.error_id, error.retry_after_s) == (
        "internal error 7f3a",
        "7f3a",
        None,
    )


def test_a_malformed_message_is_an_invalid_request() -> None:
    assert issubclass(MalformedMessage, errors.InvalidRequest)


def test_an_error_passes_through_a_context_manager_with_its_cause() -> None:
    # A frozen dataclass would not: raising sets __traceback__ and __cause__.
    with pytest.raises(errors.Unavailable) as caught:
        raise errors.Unavailable("down") from OSError("refused")

    assert "refused" in "".join(traceback.format_exception(caught.value))
