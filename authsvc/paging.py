"""How lists are cut into pages: their size, and the token that says where one begins. Pure.

A token is only a position, opaque to the caller: one that is guessed opens nothing.
"""

import base64
import binascii

from svckit.errors import InvalidRequest
from svckit.ids import check_id

__all__ = ["page_size_of", "token_after", "id_before", "PAGE_SIZE_MAX"]

PAGE_SIZE = 100
PAGE_SIZE_MAX = 1000


def page_size_of(asked: int) -> int:
    """0 leaves it to us. Raises InvalidRequest."""
    if not 0 <= asked <= PAGE_SIZE_MAX:
        raise InvalidRequest(f"page_size must be 1 to {PAGE_SIZE_MAX}")
    return asked or PAGE_SIZE


def token_after(last_id: str) -> str:
    """The token of the page that follows this id."""
    return base64.urlsafe_b64encode(last_id.encode()).decode().rstrip("=")


def id_before(token: str) -> str:
    """The id that the token's page follows; empty for the first page. Raises InvalidRequest."""
    if not token:
        return ""
    padding = "=" * (-len(token) % 4)
    try:
        raw = base64.b64decode(token + padding, altchars=b"-_", validate=True)
        return check_id("page_token", raw.decode())
    except (binascii.Error, ValueError) as exc:
        raise InvalidRequest("page_token is not one of ours") from exc
