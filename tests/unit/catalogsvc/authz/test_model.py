"""Questions and decisions as values."""

import pytest

from catalogsvc.authz.errors import InvalidRequest
from catalogsvc.authz.model import SEEN_MAX, CheckedIds, Decision, LocalQuery, Reason, Source


@pytest.mark.parametrize("reason", Reason)
def test_allowed_is_the_only_yes(reason: Reason) -> None:
    decision = Decision(reason=reason, source=Source.GRPC)

    assert decision.is_valid == bool(decision) == (reason is Reason.ALLOWED)


@pytest.mark.parametrize("field", ["user_id", "organization_id", "local_id"])
@pytest.mark.parametrize("value", ["", "x" * 129, "a\nb", "\ud800"])
def test_a_question_has_three_good_ids(field: str, value: str) -> None:
    ids = {"user_id": "u1", "organization_id": "o1", "local_id": "l1", field: value}

    with pytest.raises(InvalidRequest, match=f"^{field} "):
        LocalQuery(**ids)


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("value", ["", "x" * 129, "a\nb", "\ud800", "ñ" * 65])
def test_a_row_has_three_good_ids(number: int, value: str) -> None:
    ids = CheckedIds()
    row = ("u1", "o1", "l1")
    field = ("user_id", "organization_id", "local_id")[number]

    for _ in range(2):
        ids.check(row)
        with pytest.raises(InvalidRequest, match=f"^{field} "):
            ids.check((*row[:number], value, *row[number + 1 :]))  # type: ignore[arg-type] # three


def test_the_ids_that_were_seen_are_bounded() -> None:
    ids = CheckedIds()

    for number in range(SEEN_MAX + 10):
        ids.check((f"u{number}", "ñ", "l"))

    assert len(ids._seen) <= SEEN_MAX
