"""The rule for any text that comes from outside: bounded, UTF-8, no control characters. Pure."""

import re

from svckit.errors import InvalidRequest

__all__ = ["check_text"]

# The control characters of Unicode (category Cc).
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def check_text(name: str, value: str, *, bytes_max: int) -> str:
    """The text itself: 1 to `bytes_max` bytes of UTF-8 without control characters.

    Raises InvalidRequest with the field's name, never with the value.
    """
    if not value:
        raise InvalidRequest(f"{name} is empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as exc:
        raise InvalidRequest(f"{name} is not valid UTF-8") from exc
    if size > bytes_max:
        raise InvalidRequest(f"{name} is longer than {bytes_max} bytes")
    if CONTROL.search(value):
        raise InvalidRequest(f"{name} holds a control character")
    return value
