"""Questions in columns: checked row by row, and refused by column and row."""

import pytest

from authsvc.columns import ROWS_MAX, read_columns
from svckit.errors import InvalidRequest

GOOD = ["u-1", "Ünïcode id", "x" * 128, " "]


def test_equally_long_columns_of_ids_are_a_question() -> None:
    columns = read_columns(user_ids=GOOD, organization_ids=GOOD, local_ids=GOOD)

    assert columns.user_ids == GOOD


@pytest.mark.parametrize("rows", [0, ROWS_MAX + 1])
def test_a_question_without_rows_or_with_too_many_is_refused(rows: int) -> None:
    ids = ["x"] * rows

    with pytest.raises(InvalidRequest, match=r"^a question has 1 to 512 rows$"):
        read_columns(user_ids=ids, organization_ids=ids, local_ids=ids)


@pytest.mark.parametrize("short", [0, 1, 2])
def test_columns_of_unequal_length_are_refused(short: int) -> None:
    columns = [["a", "b"], ["a", "b"], ["a", "b"]]
    columns[short] = ["a"]
    user_ids, organization_ids, local_ids = columns

    with pytest.raises(InvalidRequest, match=r"^the columns are not equally long$"):
        read_columns(user_ids=user_ids, organization_ids=organization_ids, local_ids=local_ids)


@pytest.mark.parametrize(
    ("bad", "rule"),
    [
        ("", "is empty"),
        ("x" * 129, "is longer than 128 bytes"),
        ("é" * 65, "is longer than 128 bytes"),
        ("a\nb", "holds a control character"),
        ("\x7f", "holds a control character"),
        ("\ud800", "is not valid UTF-8"),
    ],
)
def test_an_id_that_cannot_be_one_is_named_by_column_and_row_and_never_quoted(
    bad: str, rule: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_columns(user_ids=["a", "b"], organization_ids=["a", "b"], local_ids=["a", bad])

    assert caught.value.detail == f"local_ids[1] {rule}"
