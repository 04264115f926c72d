"""Questions and decisions as values."""

import pytest

from catalogsvc.authz.errors import InvalidRequest
from catalogsvc.authz.model import Decision, LocalQuery, Reason, Source


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
