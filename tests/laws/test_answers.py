"""Law of answers: nothing but a plain yes is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogsvc.authz.answers import read_decision, read_identity
from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.model import Identity, Reason, Source
from catalogsvc.authz.transport import PathFailed

sayings = st.one_of(st.sampled_from(Reason), st.text())


@given(is_valid=st.booleans(), said=sayings, name=st.text())
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


def read(*, is_valid: bool, token: str, user_id: str, organization_id: str, said: str) -> Identity:
    return read_identity(
        token=token,
        is_valid=is_valid,
        user_id=user_id,
        organization_id=organization_id,
        permissions=(),
        said=said,
        source=Source.GRPC,
        path="x",
    )


@given(user_id=st.text(), organization_id=st.text(), said=sayings)
def test_an_identity_speaks_for_someone_or_there_is_none(
    user_id: str, organization_id: str, said: str
) -> None:
    try:
        identity = read(
            is_valid=True, token="t", user_id=user_id, organization_id=organization_id, said=said
        )
    except PathFailed:
        assert said or not user_id or not organization_id
        return

    assert identity.user_id
    assert identity.organization_id
    assert not said


@given(token=st.text(min_size=1), said=sayings, user_id=st.text())
def test_a_no_is_never_an_identity_and_never_quotes_the_token(
    token: str, said: str, user_id: str
) -> None:
    with pytest.raises(InvalidToken) as refusal:
        read(is_valid=False, token=token, user_id=user_id, organization_id="o", said=said)

    assert refusal.value.reason == "invalid token" or token not in refusal.value.reason
    assert len(refusal.value.reason) <= 200
