"""What is one bearer token, and what is not."""

import pytest

from svckit.bearer import bearer_token
from svckit.errors import Unauthenticated
from tests.unit.svckit.credentials import request_with


@pytest.mark.parametrize(
    "credentials",
    [
        [],
        [""],
        ["Bearer"],
        ["Bearer "],
        ["Bearer a b"],
        ["Bearer a,b"],
        ["Basic YTpi"],
        ["Bearer\ta"],
        ["Bearer a\n"],
        [" Bearer a"],
        ["Bearer =a"],
        ["Bearer é"],
        ["Bearer a", "Bearer b"],
        ["Bearer a", "Basic YTpi"],
    ],
)
def test_what_is_not_exactly_one_bearer_token_is_refused(credentials: list[str]) -> None:
    with pytest.raises(Unauthenticated):
        bearer_token(request_with(credentials))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_read_in_any_case(scheme: str) -> None:
    assert bearer_token(request_with([f"{scheme} aZ0-._~+/=="])) == "aZ0-._~+/=="
