"""The rule for ids that come from outside: opaque, bounded, printable."""

import unicodedata

from svckit.errors import InvalidRequest

__all__ = ["ID_BYTES_MAX", "check_id"]

ID_BYTES_MAX = 128


def check_id(name: str, value: str) -> str:
    """The id itself: 1 to 128 bytes of UTF-8 without control characters.

    Raises InvalidRequest with the field's name, never with the value.
    """
    if not value:
        raise InvalidRequest(f"{name} is empty")
    try:
        size = len(value.encode())
    except UnicodeEncodeError as exc:
        raise InvalidRequest(f"{name} is not valid UTF-8") from exc
    if size > ID_BYTES_MAX:
        raise InvalidRequest(f"{name} is longer than {ID_BYTES_MAX} bytes")
    if any(unicodedata.category(char) == "Cc" for char in value):
        raise InvalidRequest(f"{name} holds a control character")
    return value
