"""Tokens: what is signed is read back, and each claim is checked."""

import json
from dataclasses import replace

import jwt
import pytest

from authsvc.tokens import key_id, sign, verify
from tests.unit.authsvc.forge import encode_part
from tests.unit.authsvc.tokens_at_hand import (
    CLAIMS,
    KEYS,
    NOW,
    PAYLOAD,
    PRIVATE_KEY,
    RULES,
    good_token,
    ours,
    refusal,
)


def test_what_was_signed_is_read_back() -> None:
    assert verify(good_token(), keys=KEYS, rules=RULES, now=NOW) == CLAIMS


def test_a_token_names_the_key_it_was_signed_with() -> None:
    assert key_id(good_token()) == "k1"


def test_a_forged_token_with_honest_content_and_our_key_is_good() -> None:
    # Without this, every refusal below could have its reason in the forging.
    assert verify(ours(PAYLOAD), keys=KEYS, rules=RULES, now=NOW) == CLAIMS


def test_a_session_is_told_only_by_a_token_that_has_one() -> None:
    with_session = replace(CLAIMS, session_id="s1")

    token = sign(with_session, key=PRIVATE_KEY, rules=RULES)

    assert verify(token, keys=KEYS, rules=RULES, now=NOW) == with_session
    assert "sid" not in jwt.decode(good_token(), options={"verify_signature": False})


@pytest.mark.parametrize("value", [None, "", 1, True, ["s1"], "s\n1", "x" * 129])
def test_a_session_that_is_no_id_is_malformed(value: object) -> None:
    assert refusal(ours(PAYLOAD | {"sid": value})) == "malformed token"


# Time


@pytest.mark.parametrize("now", [NOW - 5, NOW, NOW + 600, NOW + 604, NOW + 604.999])
def test_a_token_is_good_from_issue_to_expiry_with_leeway_on_both_sides(now: float) -> None:
    assert verify(good_token(), keys=KEYS, rules=RULES, now=now) == CLAIMS


@pytest.mark.parametrize("now", [NOW + 605, NOW + 605.001, NOW + 1e9])
def test_a_token_is_expired_at_exactly_its_expiry_plus_leeway(now: float) -> None:
    assert refusal(good_token(), now=now) == "token expired"


@pytest.mark.parametrize("now", [NOW - 5.001, NOW - 6, 0])
def test_a_token_from_the_future_is_not_yet_valid(now: float) -> None:
    assert refusal(good_token(), now=now) == "token not yet valid"


def test_not_before_counts_with_leeway() -> None:
    token = ours(PAYLOAD | {"nbf": NOW + 100})

    assert refusal(token, now=NOW + 94) == "token not yet valid"
    assert verify(token, keys=KEYS, rules=RULES, now=NOW + 95) == CLAIMS


@pytest.mark.parametrize("claim", ["iat", "exp", "nbf"])
@pytest.mark.parametrize("value", [True, False, 1.5, float(NOW), str(NOW), [NOW], {"v": NOW}])
def test_a_time_that_is_not_a_whole_number_is_malformed(claim: str, value: object) -> None:
    assert refusal(ours(PAYLOAD | {claim: value})) == "malformed token"


def test_a_time_of_thousands_of_digits_is_judged_or_refused_and_nothing_else() -> None:
    huge = int("9" * 1000)

    assert verify(ours(PAYLOAD | {"exp": huge}), keys=KEYS, rules=RULES, now=NOW).expires_at == huge
    assert refusal(ours(PAYLOAD | {"iat": huge})) == "token not yet valid"
    assert refusal(ours(PAYLOAD | {"exp": -huge})) == "token expired"
    # Python itself refuses to read a number of more than 4,300 digits.
    unreadable = b'{"exp":' + b"9" * 5000 + b"}"
    assert refusal(ours(unreadable)) == "malformed token"


# Claims


@pytest.mark.parametrize("claim", list(PAYLOAD))
def test_a_token_without_one_of_its_claims_is_refused(claim: str) -> None:
    absent = {name: value for name, value in PAYLOAD.items() if name != claim}
    empty = PAYLOAD | {claim: None}

    assert refusal(ours(absent)) == "missing claim"
    assert refusal(ours(empty)) == "missing claim"


@pytest.mark.parametrize(
    "issuer", ["", "port", "portero ", "Portero", ["portero"], {"portero": 1}, 1, True]
)
def test_a_token_of_another_issuer_is_refused(issuer: object) -> None:
    assert refusal(ours(PAYLOAD | {"iss": issuer})) == "wrong issuer"


@pytest.mark.parametrize("audience", ["", "port", "porteros", ["other"], [], [["portero"]], 1, {}])
def test_a_token_for_another_audience_is_refused(audience: object) -> None:
    assert refusal(ours(PAYLOAD | {"aud": audience})) in ("wrong audience", "missing claim")


def test_one_of_several_audiences_may_be_ours() -> None:
    # RFC 7519, section 4.1.3: a list is as good as a name, if we are in it.
    token = ours(PAYLOAD | {"aud": ["other", "portero"]})

    assert verify(token, keys=KEYS, rules=RULES, now=NOW) == CLAIMS


@pytest.mark.parametrize("claim", ["user_id", "organization_id", "jti"])
@pytest.mark.parametrize(
    "value",
    ["", 1, True, ["u1"], {"id": "u1"}, "u\n1", "u\x00", "\x7f", "x" * 129, "é" * 65, "\ud800"],
)
def test_an_id_claim_that_is_no_id_is_malformed(claim: str, value: object) -> None:
    assert refusal(ours(PAYLOAD | {claim: value})) == "malformed token"


@pytest.mark.parametrize("payload", [[], "text", 1, None, b"", b"{", b"\xff", b'{"a":1}x'])
def test_a_payload_that_is_no_object_is_malformed(payload: object) -> None:
    assert refusal(ours(payload)) == "malformed token"


@pytest.mark.parametrize("claim", list(PAYLOAD))
def test_a_claim_given_twice_is_refused_though_we_signed_it(claim: str) -> None:
    again = json.dumps({claim: PAYLOAD[claim]}).encode()[:-1]

    assert refusal(ours(again + b"," + json.dumps(PAYLOAD).encode()[1:])) == "malformed token"


def test_a_name_given_twice_within_a_claim_is_refused() -> None:
    twice = json.dumps(PAYLOAD).encode()[:-1] + b',"more":[{"a":1,"a":2}]}'

    assert refusal(ours(twice)) == "malformed token"


def test_a_forger_cannot_add_a_claim() -> None:
    twice = b'{"user_id":"u0",' + json.dumps(PAYLOAD).encode()[1:]

    head, _, signature = good_token().split(".")
    assert refusal(f"{head}.{encode_part(twice)}.{signature}") == "bad signature"
