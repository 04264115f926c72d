from svckit.cause import cause_of, innermost
from svckit.errors import Unavailable


def test_it_is_the_kind_of_what_lies_at_the_bottom() -> None:
    bottom = ConnectionRefusedError("to a secret place")
    middle, top = OSError("cannot connect"), Unavailable("the database does not answer")
    top.__cause__, middle.__cause__ = middle, bottom

    assert cause_of(top) == "ConnectionRefusedError"


def test_an_error_without_a_cause_has_none() -> None:
    assert cause_of(Unavailable("overloaded")) == ""


def test_the_innermost_of_nested_groups_is_their_first_error() -> None:
    error = TimeoutError("silent")
    group = ExceptionGroup("outer", [ExceptionGroup("inner", [error, OSError()]), ValueError()])

    assert innermost(group) is error
    assert innermost(error) is error
