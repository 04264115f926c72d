"""Where a page of a list begins, and how long it is."""

import pytest

from authsvc.paging import PAGE_SIZE_MAX, id_before, page_size_of, token_after
from svckit.errors import InvalidRequest


@pytest.mark.parametrize("last_id", ["l1", "é" * 64, "a/b?c=d", " "])
def test_a_token_is_the_id_that_its_page_follows(last_id: str) -> None:
    assert id_before(token_after(last_id)) == last_id


def test_without_a_token_it_is_the_first_page() -> None:
    assert id_before("") == ""


@pytest.mark.parametrize("token", ["*", "A", "AA", "=", "_w", "bMO p", "x" * 400])
def test_a_token_that_is_not_ours_is_refused(token: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^page_token "):
        id_before(token)


def test_a_size_of_none_is_ours_to_choose() -> None:
    assert (page_size_of(0), page_size_of(1), page_size_of(PAGE_SIZE_MAX)) == (100, 1, 1000)


@pytest.mark.parametrize("asked", [-1, PAGE_SIZE_MAX + 1])
def test_a_size_beyond_the_bounds_is_refused(asked: int) -> None:
    with pytest.raises(InvalidRequest, match=r"^page_size must be 1 to 1000$"):
        page_size_of(asked)
