"""Reading answers: whom a token speaks for, and what is said of one that speaks for nobody."""

import pytest

from catalogsvc.authz.answers import read_identity
from catalogsvc.authz.errors import InvalidToken
from catalogsvc.authz.model import Source
from catalogsvc.authz.transport import PathFailed


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
