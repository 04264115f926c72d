"""The schedule of keys, moment by moment. `tests/laws/test_key_schedule.py` has its law."""

import math
from dataclasses import replace

import pytest

from authsvc.key_schedule import (
    KeyRules,
    Phase,
    is_due,
    phase_of,
    rotated,
    signing_key,
    turned,
    withdrawn,
    withdrawn_at,
)
from authsvc.stored_key import StoredKey

DAY_S = 86_400
RULES = KeyRules(token_ttl_s=600, rotation_s=30 * DAY_S)
NOW = 1_000_000


def key(kid: str, *, signs_from: int = NOW, token_ttl_s: int = 600) -> StoredKey:
    return StoredKey(
        kid=kid,
        algorithm="ES256",
        private_key="",
        public_key="",
        created_at=signs_from - RULES.publish_s,
        signs_from=signs_from,
        token_ttl_s=token_ttl_s,
    )


OLD, NEW = key("b"), key("a", signs_from=NOW + 1_000)
SPARE = replace(key("spare"), created_at=0, signs_from=0, token_ttl_s=0)


def kids(keys: tuple[StoredKey, ...]) -> set[str]:
    return {key.kid for key in keys}


def test_each_key_signs_from_its_time_until_that_of_the_next() -> None:
    for now, kid in ((NOW, "b"), (NOW + 999.999, "b"), (NOW + 1_000, "a"), (NOW + 10**9, "a")):
        signing = signing_key([NEW, OLD], now)
        assert signing is not None
        assert signing.kid == kid


def test_a_clock_that_is_late_signs_with_the_first_key() -> None:
    assert signing_key([NEW, OLD], NOW - 1) == OLD
    assert signing_key([], NOW) is None


def test_a_key_is_published_then_signs_and_then_is_retired() -> None:
    both = (OLD, NEW)

    assert [phase_of(key, both, NOW) for key in both] == [Phase.SIGNING, Phase.PUBLISHED]
    assert [phase_of(key, both, NOW + 1_000) for key in both] == [Phase.RETIRED, Phase.SIGNING]


def test_a_retired_key_is_kept_until_its_longest_token_has_expired_by_every_clock() -> None:
    # Its successor's start, the token, the half minute of who had not heard, and both clocks.
    over = NOW + 1_000 + 600 + 30 + 10

    assert withdrawn_at(OLD, (OLD, NEW), RULES) == over
    assert withdrawn_at(NEW, (OLD, NEW), RULES) == math.inf
    assert kids(turned((OLD, NEW), None, now=over - 0.001, rules=RULES)) == {"a", "b"}
    assert kids(turned((OLD, NEW), None, now=over, rules=RULES)) == {"a"}


def test_tokens_that_live_longer_elsewhere_keep_their_key_longer() -> None:
    long_lived = replace(OLD, token_ttl_s=DAY_S)

    (kept, _) = turned((long_lived, NEW), None, now=NOW + 2_000, rules=RULES)

    assert kept.token_ttl_s == DAY_S


def test_our_own_longer_tokens_are_noted_before_a_key_could_go() -> None:
    longer = replace(RULES, token_ttl_s=DAY_S)

    keys = turned((OLD, NEW), None, now=NOW + 5_000, rules=longer)

    assert {(key.kid, key.token_ttl_s) for key in keys} == {("a", DAY_S), ("b", DAY_S)}


def test_the_next_key_is_made_in_time_to_be_published_before_it_signs() -> None:
    due_at = NOW + 30 * DAY_S - RULES.publish_s

    assert not is_due((OLD,), due_at - 1, RULES)
    assert turned((OLD,), SPARE, now=due_at - 1, rules=RULES) == (OLD,)
    old, new = turned((OLD,), SPARE, now=due_at + 0.5, rules=RULES)

    assert old == OLD
    assert (new.kid, new.created_at, new.token_ttl_s) == ("spare", due_at, 600)
    assert new.signs_from == NOW + 30 * DAY_S + 1
    assert not is_due((old, new), due_at + 1, RULES)


def test_the_first_key_signs_at_once() -> None:
    (first,) = turned((), SPARE, now=NOW + 0.9, rules=RULES)

    assert (first.created_at, first.signs_from) == (NOW, NOW)


def test_without_rotation_only_the_first_key_is_ever_due() -> None:
    never = replace(RULES, rotation_s=0)

    assert is_due((), NOW, never)
    assert not is_due((OLD,), NOW + 10**9, never)


def test_a_key_that_is_due_and_was_not_made_in_advance_waits_for_the_next_check() -> None:
    assert turned((OLD,), None, now=NOW + 31 * DAY_S, rules=RULES) == (OLD,)


def test_a_key_made_by_the_operator_signs_after_the_wait_or_now() -> None:
    for wait_s, signs_from in ((0, NOW), (600, NOW + 601)):
        *_, new = rotated((OLD,), SPARE, now=NOW + 0.5, wait_s=wait_s, rules=RULES)
        assert new.signs_from == signs_from


@pytest.mark.parametrize("kid", ["a", "c"])
def test_of_two_keys_made_in_one_second_the_later_one_signs(kid: str) -> None:
    first = replace(SPARE, kid="b", created_at=NOW, signs_from=NOW)

    keys = rotated((first,), replace(SPARE, kid=kid), now=NOW + 0.5, wait_s=0, rules=RULES)

    signing = signing_key(keys, NOW + 0.6)
    assert signing is not None
    assert signing.kid == kid


def test_a_key_that_signs_is_withdrawn_only_for_another_that_does() -> None:
    keys = withdrawn((OLD,), "b", SPARE, now=NOW + 5, rules=RULES)

    assert kids(keys) == {"spare"}
    assert signing_key(keys, NOW + 5) == keys[0]
    # Not one that was retired before, nor one that nobody has heard of for long enough.
    three = (OLD, NEW, key("c", signs_from=NOW + 3_000))
    kept = withdrawn(three, "a", SPARE, now=NOW + 2_000, rules=RULES)
    signing = signing_key(kept, NOW + 2_000)
    assert signing is not None
    assert (signing.kid, kids(kept)) == ("spare", {"b", "c", "spare"})


@pytest.mark.parametrize(("kid", "left"), [("b", {"a"}), ("c", {"a", "b"})])
def test_a_key_that_does_not_sign_is_withdrawn_alone(kid: str, left: set[str]) -> None:
    keys = [OLD, NEW, *([key("c", signs_from=NOW + 3_000)] if kid == "c" else [])]

    assert kids(withdrawn(keys, kid, SPARE, now=NOW + 2_000, rules=RULES)) == left


def test_withdrawing_from_no_keys_leaves_none() -> None:
    assert withdrawn((), "b", SPARE, now=NOW, rules=RULES) == ()


def test_a_key_that_signs_before_it_could_be_heard_of_is_a_mistake_in_the_rules() -> None:
    with pytest.raises(AssertionError):
        KeyRules(token_ttl_s=600, publish_s=300)
