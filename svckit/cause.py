"""What to say of an error's cause where the error itself says nothing of it. Pure."""

__all__ = ["cause_of", "innermost"]


def cause_of(error: BaseException) -> str:
    """The kind of what lies at the bottom of `error`: enough for who knows the system.

    Empty when nothing does. Never its text, which may quote what must not be shown or logged.
    """
    bottom = error
    while bottom.__cause__ is not None:
        bottom = bottom.__cause__
    return "" if bottom is error else type(bottom).__name__


def innermost(error: BaseException) -> BaseException:
    """The first error in a group, however deep it lies; an error that is no group is itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
