"""A cursor: where the next page of a list begins, opaque to the caller. Pure.

It is only a position. Whose list it moves in is decided anew by each request, so that a cursor
that is guessed or passed on to someone else opens nothing.
"""

import base64
import binascii

from svckit.errors import InvalidRequest
from svckit.ids import check_id

__all__ = ["cursor_after", "id_before"]


def cursor_after(product_id: str) -> str:
    """The cursor of the page that follows this product."""
    return base64.urlsafe_b64encode(product_id.encode()).decode().rstrip("=")


def id_before(cursor: str) -> str:
    """The product that the cursor's page follows. Raises InvalidRequest."""
    padding = "=" * (-len(cursor) % 4)
    try:
        raw = base64.b64decode(cursor + padding, altchars=b"-_", validate=True)
        return check_id("cursor", raw.decode())
    except (binascii.Error, ValueError) as exc:
        raise InvalidRequest("cursor is not one of ours") from exc
