"""When a session is over, who makes room, and what tokens are worth."""

from dataclasses import replace

import pytest

from authsvc.access import UserRecord
from authsvc.session_rules import (
    Refresh,
    Session,
    SessionRules,
    end_of,
    is_ended,
    is_revoked,
    judge_refresh,
    surplus,
)
from authsvc.tokens import Claims

RULES = SessionRules(ttl_s=100, idle_s=10, per_user_max=2)
SESSION = Session(
    id="s1",
    user_id="u1",
    organization_id="o1",
    refresh_hash="current",
    created_at=1000,
    refreshed_at=1000,
    expires_at=1010,
)
CLAIMS = Claims(
    user_id="u1", organization_id="o1", token_id="t", issued_at=50, expires_at=60, session_id="s1"
)
USER = UserRecord(
    organization_id="o1",
    is_active=True,
    locals=frozenset(),
    permissions=(),
    sessions=frozenset({"s1"}),
)


@pytest.mark.parametrize(
    ("generation", "now", "outcome"),
    [
        ("current", 1009.9, Refresh.ROTATE),
        ("current", 1010.0, Refresh.OVER),
        ("older", 1009.9, Refresh.REUSED),
        ("older", 9999.0, Refresh.REUSED),
        ("", 1000.0, Refresh.REUSED),
    ],
)
def test_only_the_current_generation_of_a_session_that_lives_goes_on(
    generation: str, now: float, outcome: Refresh
) -> None:
    assert judge_refresh(SESSION, generation, now=now) is outcome


def test_a_session_ends_when_it_is_idle_or_too_old() -> None:
    assert end_of(RULES, created_at=1000, refreshed_at=1000) == 1010
    assert end_of(RULES, created_at=1000, refreshed_at=1095) == 1100


def test_the_oldest_make_room_for_one_more() -> None:
    older, old, new = (
        replace(SESSION, id=i, created_at=at) for i, at in (("a", 1), ("b", 2), ("c", 3))
    )

    assert surplus([], RULES) == ()
    assert surplus([new], RULES) == ()
    assert surplus([new, old], RULES) == ("b",)
    assert surplus([new, older, old], RULES) == ("a", "b")


def test_a_token_belongs_to_a_session_that_lives_or_to_none() -> None:
    assert not is_ended(CLAIMS, USER)
    assert not is_ended(replace(CLAIMS, session_id=None), USER)
    assert is_ended(replace(CLAIMS, session_id="s2"), USER)
    assert is_ended(CLAIMS, replace(USER, sessions=frozenset()))


def test_a_token_from_before_the_user_was_shut_out_is_revoked() -> None:
    assert is_revoked(CLAIMS, replace(USER, tokens_valid_from=51))
    assert not is_revoked(CLAIMS, replace(USER, tokens_valid_from=50))


def test_the_hash_of_a_refresh_token_is_not_shown() -> None:
    assert "current" not in repr(SESSION)
