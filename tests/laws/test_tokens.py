"""Laws of tokens: any text is judged, and only what we signed is believed."""

import json
import string

from hypothesis import given
from hypothesis import strategies as st

from authsvc.tokens import BadToken, Claims, sign, verify
from tests.unit.authsvc.forge import encode_part, forge
from tests.unit.authsvc.tokens_at_hand import (
    CLAIMS,
    HEADER,
    KEYS,
    NOW,
    PAYLOAD,
    PRIVATE_KEY,
    PRIVATE_PEM,
    RULES,
    good_token,
)

GOOD = good_token()

ids = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=32)
any_char = st.characters(exclude_categories=["Cs"])
times = st.integers(0, 2**53)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
claim_names = st.sampled_from(["iss", "aud", "iat", "exp", "nbf", "jti", "sid", "sub", "user_id"])
header_names = st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk"])


def judge(token: str, now: float = NOW) -> Claims | None:
    """None when refused; any other exception is the law broken."""
    try:
        return verify(token, keys=KEYS, rules=RULES, now=now)
    except BadToken:
        return None


@given(ids, ids, ids, st.none() | ids, times, st.integers(1, 86_400))
def test_what_is_signed_is_read_back_while_it_lives(
    user_id: str,
    organization_id: str,
    token_id: str,
    session_id: str | None,
    issued_at: int,
    ttl_s: int,
) -> None:
    claims = Claims(
        user_id=user_id,
        organization_id=organization_id,
        token_id=token_id,
        session_id=session_id,
        issued_at=issued_at,
        expires_at=issued_at + ttl_s,
    )

    token = sign(claims, key=PRIVATE_KEY, rules=RULES)

    assert judge(token, now=issued_at) == claims
    assert judge(token, now=issued_at + ttl_s + RULES.leeway_s) is None
    assert judge(token, now=issued_at - RULES.leeway_s - 1) is None


@given(st.text() | st.from_regex(r"[\w-]{0,40}\.[\w-]{0,40}\.[\w-]{0,40}"))
def test_any_text_is_judged_without_another_exception(text: str) -> None:
    assert judge(text) is None


@given(st.dictionaries(header_names, json_values), st.dictionaries(claim_names, json_values))
def test_any_header_and_payload_under_our_own_signature_are_judged(
    header: dict[str, object], payload: dict[str, object]
) -> None:
    honest = {"iss": "portero", "aud": "portero", "iat": NOW, "exp": NOW + 9, "jti": "t"}

    token = forge(
        {"alg": "ES256", "kid": "k1"} | header,
        honest | {"user_id": "u", "organization_id": "o"} | payload,
        pem=PRIVATE_PEM,
    )

    claims = judge(token)
    if claims is not None:
        assert all(type(value) is str for value in (claims.user_id, claims.organization_id))


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_any_bytes_under_our_own_signature_are_judged(header: bytes, payload: bytes) -> None:
    assert judge(forge(header, payload, pem=PRIVATE_PEM)) is None
    # The same payload behind a header that lets it be reached.
    assert judge(forge({"alg": "ES256", "kid": "k1"}, payload, pem=PRIVATE_PEM)) is None


@given(st.integers(0, len(GOOD) - 1), any_char)
def test_a_good_token_with_one_character_changed_is_refused(position: int, char: str) -> None:
    changed = GOOD[:position] + char + GOOD[position + 1 :]

    # Also in the last place, whose two lowest bits stand for nothing: the library demands zeros.
    assert judge(changed) == (CLAIMS if changed == GOOD else None)


@given(st.sampled_from(sorted(PAYLOAD)), json_values, st.booleans())
def test_a_payload_that_says_one_thing_twice_is_refused_under_our_own_signature(
    claim: str, value: object, is_first: bool
) -> None:
    again, whole = json.dumps({claim: value})[1:-1], json.dumps(PAYLOAD)[1:-1]
    text = f"{again},{whole}" if is_first else f"{whole},{again}"

    assert judge(forge(HEADER, f"{{{text}}}".encode(), pem=PRIVATE_PEM)) is None


@given(st.sampled_from(string.ascii_letters + string.digits + "-_"))
def test_the_padding_bits_of_a_signature_are_not_free(last: str) -> None:
    assert (judge(GOOD[:-1] + last) is None) == (last != GOOD[-1])


@given(st.integers(0, len(GOOD)), any_char)
def test_a_good_token_with_one_character_more_is_refused(position: int, char: str) -> None:
    assert judge(GOOD[:position] + char + GOOD[position:]) is None


@given(st.dictionaries(claim_names, json_values, min_size=1))
def test_a_payload_put_under_a_signature_that_was_made_for_another_is_refused(
    payload: dict[str, object],
) -> None:
    head, _, signature = GOOD.split(".")

    assert judge(f"{head}.{encode_part(payload)}.{signature}") is None
