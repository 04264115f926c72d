"""Tokens that no honest signer made: refused, whatever they say of themselves."""

import hashlib
import hmac
import json

import pytest

from authsvc.key_pairs import new_key_pair
from tests.unit.authsvc.forge import encode_part, forge
from tests.unit.authsvc.tokens_at_hand import (
    HEADER,
    PAYLOAD,
    PRIVATE_PEM,
    PUBLIC_PEM,
    REASONS,
    good_token,
    ours,
    refusal,
)

OTHER_PRIVATE_PEM, _ = new_key_pair()

# Signatures and keys


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE", "NONE", "", None, 0, ["ES256"]])
def test_a_token_without_an_algorithm_is_refused_signed_or_not(algorithm: object) -> None:
    header = HEADER | {"alg": algorithm}

    for token in (forge(header, PAYLOAD), forge(header, PAYLOAD, pem=PRIVATE_PEM)):
        assert refusal(token) == "algorithm not allowed"


def test_the_public_key_is_no_shared_secret() -> None:
    # The confusion of CVE-2015-9256: the verifier is talked into HMAC with a key all may know.
    head = f"{encode_part(HEADER | {'alg': 'HS256'})}.{encode_part(PAYLOAD)}"
    mac = hmac.new(PUBLIC_PEM.encode(), head.encode(), hashlib.sha256).digest()

    assert refusal(f"{head}.{encode_part(mac)}") == "algorithm not allowed"


@pytest.mark.parametrize(
    "algorithm", ["HS256", "RS256", "PS256", "ES384", "ES512", "ES256K", "EdDSA", "es256"]
)
def test_an_algorithm_that_is_not_the_keys_own_is_refused(algorithm: str) -> None:
    assert refusal(ours(PAYLOAD, HEADER | {"alg": algorithm})) == "algorithm not allowed"


def test_another_key_under_our_key_id_is_a_bad_signature() -> None:
    assert refusal(forge(HEADER, PAYLOAD, pem=OTHER_PRIVATE_PEM)) == "bad signature"


@pytest.mark.parametrize(
    "kid",
    [
        "",
        "k2",
        "K1",
        "k1 ",
        "k1\x00",
        "../../etc/passwd",
        "/dev/null",
        "' OR 1=1 --",
        "http://127.0.0.1/key",
        "x" * 4096,
    ],
)
def test_a_key_id_that_is_not_ours_is_an_unknown_key(kid: str) -> None:
    assert refusal(ours(PAYLOAD, HEADER | {"kid": kid})) == "unknown key"


def test_a_token_without_a_key_id_is_refused() -> None:
    assert refusal(ours(PAYLOAD, {"alg": "ES256"})) == "unknown key"


@pytest.mark.parametrize("kid", [1, True, ["k1"], {"k1": 1}])
def test_a_key_id_that_is_no_text_is_refused(kid: object) -> None:
    assert refusal(ours(PAYLOAD, HEADER | {"kid": kid})) in ("unknown key", "malformed token")


@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_that_the_token_brings_along_is_not_used(name: str) -> None:
    header = HEADER | {name: {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}

    assert refusal(forge(header, PAYLOAD, pem=OTHER_PRIVATE_PEM)) == "bad signature"


@pytest.mark.parametrize("critical", [["b64"], ["exp"], [], "b64", None])
def test_a_critical_header_is_refused_whatever_it_says(critical: object) -> None:
    token = ours(PAYLOAD, HEADER | {"crit": critical})

    assert refusal(token) in ("critical header not understood", "malformed token")


def test_a_detached_payload_is_refused() -> None:
    for header in (HEADER | {"b64": False}, HEADER | {"b64": False, "crit": ["b64"]}):
        head, _, signature = ours(PAYLOAD, header).split(".")
        assert refusal(f"{head}..{signature}") in REASONS
        assert refusal(ours(PAYLOAD, header)) in REASONS


@pytest.mark.parametrize("size", [0, 1, 63, 65, 128])
def test_a_signature_of_a_wrong_length_is_a_bad_one(size: int) -> None:
    assert refusal(forge(HEADER, PAYLOAD, signature=b"\x01" * size)) == "bad signature"


@pytest.mark.parametrize("number", [0, 1, 2**256 - 1])
def test_a_signature_of_extreme_numbers_is_a_bad_one(number: int) -> None:
    # The "psychic signature" of CVE-2022-21449: r = s = 0 verified anything.
    assert refusal(forge(HEADER, PAYLOAD, signature=number.to_bytes(32, "big") * 2)) == (
        "bad signature"
    )


# Shape


@pytest.mark.parametrize(
    "text", ["", ".", "..", "...", "a", "a.b", "a.b.c", "é.é.é", "\ud800", "\x00"]
)
def test_text_that_is_no_token_is_malformed(text: str) -> None:
    assert refusal(text) == "malformed token"


def test_a_truncated_token_is_refused_wherever_it_is_cut() -> None:
    token = good_token()

    assert {refusal(token[:length]) for length in range(len(token))} <= REASONS


@pytest.mark.parametrize("extra", [".", ".x", " ", "\n", "=", "a", "AAAA"])
def test_a_token_with_something_added_is_refused(extra: str) -> None:
    assert refusal(good_token() + extra) in ("malformed token", "bad signature")
    assert refusal(extra + good_token()) == "malformed token"


def test_a_token_above_eight_kibibytes_is_not_even_looked_at() -> None:
    assert refusal(ours(PAYLOAD | {"more": "x" * 8192})) == "malformed token"
    assert refusal(ours(PAYLOAD, HEADER | {"kid": "x" * 8192})) == "malformed token"


@pytest.mark.parametrize("bomb", [b"[" * 6000, b'{"a":' * 1200])
def test_nesting_without_end_is_malformed(bomb: bytes) -> None:
    assert refusal(f"{encode_part(bomb)}.e30.AA") == "malformed token"
    assert refusal(ours(bomb)) == "malformed token"


@pytest.mark.parametrize("header", [[], "text", 1, None, b"", b"\xff\xfe", b"{}x"])
def test_a_header_that_is_no_object_is_malformed(header: object) -> None:
    assert refusal(forge(header, PAYLOAD, pem=PRIVATE_PEM)) == "malformed token"


@pytest.mark.parametrize("name", list(HEADER))
def test_a_header_that_says_one_thing_twice_is_malformed_though_it_says_the_same(name: str) -> None:
    again = json.dumps({name: HEADER[name]}).encode()[:-1]

    assert refusal(ours(PAYLOAD, again + b"," + json.dumps(HEADER).encode()[1:])) == (
        "malformed token"
    )
