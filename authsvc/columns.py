"""Questions in columns: row i is (user_ids[i], organization_ids[i], local_ids[i]). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from svckit.errors import InvalidRequest
from svckit.ids import ID_BYTES_MAX, check_id

__all__ = ["Columns", "read_columns", "ROWS_MAX"]

ROWS_MAX = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Equally long, and every id is one."""

    user_ids: Sequence[str]
    organization_ids: Sequence[str]
    local_ids: Sequence[str]


def read_columns(
    *, user_ids: Sequence[str], organization_ids: Sequence[str], local_ids: Sequence[str]
) -> Columns:
    """Raises InvalidRequest, which names the column and row of an id that cannot be one."""
    rows = len(user_ids)
    if not rows == len(organization_ids) == len(local_ids):
        raise InvalidRequest("the columns are not equally long")
    if not 1 <= rows <= ROWS_MAX:
        raise InvalidRequest(f"a question has 1 to {ROWS_MAX} rows")
    _check_column("user_ids", user_ids)
    _check_column("organization_ids", organization_ids)
    _check_column("local_ids", local_ids)
    return Columns(user_ids=user_ids, organization_ids=organization_ids, local_ids=local_ids)


def _check_column(name: str, ids: Sequence[str]) -> None:
    if _are_plain(ids):
        return
    for row, value in enumerate(ids):
        check_id(f"{name}[{row}]", value)


def _are_plain(ids: Sequence[str]) -> bool:
    """Whether all are what ids mostly are; for those it is the rule of `check_id`, all at once."""
    text = "".join(ids)
    if not (text.isascii() and text.isprintable()):
        return False
    sizes = set(map(len, ids))
    return min(sizes) >= 1 and max(sizes) <= ID_BYTES_MAX
