"""Reading answers: what is a yes, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.model import Reason, Source
from catalogsvc.authz.transport import PathFailed


@given(is_valid=st.booleans(), said=st.one_of(st.sampled_from(Reason), st.text()), name=st.text())
def test_only_a_yes_without_a_reason_to_deny_is_a_yes(
    *, is_valid: bool, said: str, name: str
) -> None:
    try:
        decision = read_decision(
            is_valid=is_valid, local_name=name, said=said, source=Source.GRPC, path="x"
        )
    except PathFailed:
        assert is_valid
        assert said not in ("", "ALLOWED")
        return

    assert bool(decision) == is_valid
    assert decision.local_name == (name if is_valid else "")


def identify(said: str) -> None:
    read_identity(
        token="a.b.c",
        is_valid=False,
        user_id="",
        organization_id="",
        permissions=(),
        said=said,
        source=Source.GRPC,
        path="x",
    )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("token expired", "token expired"),
        ("", "invalid token"),
        ("no: a.b.c", "invalid token"),
        ("two\nlines", "invalid token"),
        ("x" * 300, "x" * 200),
    ],
)
def test_a_reason_is_short_and_never_quotes_the_token(said: str, reason: str) -> None:
    with pytest.raises(InvalidToken) as caught:
        identify(said)

    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("user_id", "organization_id", "said"), [("", "o", ""), ("u", "", ""), ("u", "o", "expired")]
)
def test_a_valid_token_must_speak_for_someone(
    user_id: str, organization_id: str, said: str
) -> None:
    with pytest.raises(PathFailed):
        read_identity(
            token="a.b.c",
            is_valid=True,
            user_id=user_id,
            organization_id=organization_id,
            permissions=(),
            said=said,
            source=Source.GRPC,
            path="x",
        )
