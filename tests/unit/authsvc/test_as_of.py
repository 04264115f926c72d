"""How old an answer says it is."""

import pytest

from authsvc.as_of import UINT32_MAX, AsOf, age_ms, told


@pytest.mark.parametrize(
    ("age_s", "said"), [(0.0, 0), (0.0001, 1), (0.001, 1), (1.4991, 1500), (1e9, UINT32_MAX)]
)
def test_an_answer_never_makes_itself_younger_than_it_is(age_s: float, said: int) -> None:
    assert age_ms(AsOf(database_id="d", revision=1, age_s=age_s)) == said


def test_an_answer_tells_all_three_or_it_could_not_be_kept() -> None:
    as_of = AsOf(database_id="d", revision=7, age_s=0.25)

    assert told(as_of) == {"revision": 7, "age_ms": 250, "database_id": "d"}
