"""A column is accepted if and only if each of its ids is."""

from hypothesis import given
from hypothesis import strategies as st

from authsvc.columns import read_columns
from svckit.errors import InvalidRequest
from svckit.ids import check_id

texts = st.one_of(
    st.text(max_size=5),
    st.text(st.characters(codec=None, categories=None), max_size=3),
    st.text("ab\x00\x1f\x7f\x80é", max_size=4),
    st.sampled_from(["x" * 128, "x" * 129, "é" * 64, "é" * 65]),
)


def is_id(text: str) -> bool:
    try:
        check_id("id", text)
    except InvalidRequest:
        return False
    return True


@given(st.lists(texts, min_size=1, max_size=6))
def test_all_at_once_is_each_by_itself(ids: list[str]) -> None:
    bad = [row for row, text in enumerate(ids) if not is_id(text)]

    named = complaint_about(ids)

    assert named == (f"organization_ids[{bad[0]}]" if bad else "")


def complaint_about(ids: list[str]) -> str:
    """The column and row that are complained about; empty when none is."""
    plain = ["x"] * len(ids)
    try:
        read_columns(user_ids=plain, organization_ids=ids, local_ids=plain)
    except InvalidRequest as exc:
        return exc.detail.partition(" ")[0]
    return ""
