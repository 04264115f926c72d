"""What a password may be, and the bytes it stands for. Pure."""

import unicodedata

from svckit.errors import InvalidRequest

__all__ = ["PASSWORD_BYTES_MAX", "password_bytes", "new_password_bytes"]

PASSWORD_BYTES_MAX = 1024
PASSWORD_CHARS_MIN = 8


def password_bytes(password: str) -> bytes:
    """What is hashed. Raises InvalidRequest, before any work that grows with the length.

    Normalized (NFKC, as NIST SP 800-63B asks): one keyboard sends é as one character and another
    as two, and who typed it cannot see the difference. Letters that merely look alike stay apart.
    """
    _check_size(_encoded(password))
    normalized = _encoded(unicodedata.normalize("NFKC", password))
    # One character may become eighteen.
    _check_size(normalized)
    return normalized


def new_password_bytes(password: str) -> bytes:
    """As `password_bytes`, for a password to be set. Raises InvalidRequest for one too short."""
    normalized = password_bytes(password)
    if len(normalized.decode()) < PASSWORD_CHARS_MIN:
        raise InvalidRequest(f"the password is shorter than {PASSWORD_CHARS_MIN} characters")
    return normalized


def _encoded(password: str) -> bytes:
    # Not strictly: that error would quote the password, wherever ours goes.
    encoded = password.encode(errors="replace")
    if encoded.decode() != password:
        raise InvalidRequest("the password is not valid UTF-8")
    return encoded


def _check_size(password: bytes) -> None:
    if len(password) > PASSWORD_BYTES_MAX:
        raise InvalidRequest(f"the password is longer than {PASSWORD_BYTES_MAX} bytes")
