"""Each algorithm of ours: what it signs is good, and no token talks us into another one."""

import base64
import hashlib
import hmac
import json
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from authsvc.key_pairs import Algorithm, PrivateKey, PublicKey, new_key_pair
from authsvc.tokens import BadToken, sign, verify
from tests.unit.authsvc.forge import encode_part, forge
from tests.unit.authsvc.tokens_at_hand import CLAIMS, NOW, PAYLOAD, RULES

PAIRS = {algorithm: new_key_pair(algorithm) for algorithm in Algorithm}
STRANGERS = {algorithm: new_key_pair(algorithm) for algorithm in Algorithm}
# All of our keys at once, as while the algorithm is changed; each is named for what it is.
KEYS = {
    algorithm.value: PublicKey.from_pem(
        kid=algorithm.value, algorithm=algorithm.value, pem=PAIRS[algorithm][1]
    )
    for algorithm in Algorithm
}

each_algorithm = pytest.mark.parametrize("algorithm", list(Algorithm))


def head(algorithm: Algorithm, **more: object) -> dict[str, object]:
    return {"alg": algorithm.value, "typ": "JWT", "kid": algorithm.value, **more}


def refusal(token: str) -> str:
    with pytest.raises(BadToken) as caught:
        verify(token, keys=KEYS, rules=RULES, now=NOW)
    return caught.value.reason


@each_algorithm
def test_what_a_key_of_any_algorithm_signs_is_good(algorithm: Algorithm) -> None:
    key = PrivateKey.from_pem(kid=algorithm.value, algorithm=algorithm, pem=PAIRS[algorithm][0])

    for token in (
        sign(CLAIMS, key=key, rules=RULES),
        # Without it, every refusal below could have its reason in the forging.
        forge(head(algorithm), PAYLOAD, pem=PAIRS[algorithm][0]),
    ):
        assert verify(token, keys=KEYS, rules=RULES, now=NOW) == CLAIMS


@each_algorithm
@pytest.mark.parametrize("claimed", ["none", "None", "", "HS256", "PS256", "ES384", None, 0, ["x"]])
def test_an_algorithm_that_is_none_of_ours_is_refused(
    algorithm: Algorithm, claimed: object
) -> None:
    header = head(algorithm, alg=claimed)

    for token in (forge(header, PAYLOAD), forge(header, PAYLOAD, pem=PAIRS[algorithm][0])):
        assert refusal(token) == "algorithm not allowed"


@each_algorithm
def test_the_public_key_is_no_shared_secret(algorithm: Algorithm) -> None:
    # The confusion of CVE-2015-9256: the verifier is talked into HMAC with a key all may know.
    for secret in (PAIRS[algorithm][1], PAIRS[algorithm][1].strip()):
        for claimed, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
            signed = f"{encode_part(head(algorithm, alg=claimed))}.{encode_part(PAYLOAD)}"
            mac = hmac.new(secret.encode(), signed.encode(), digest).digest()
            assert refusal(f"{signed}.{encode_part(mac)}") == "algorithm not allowed"


@each_algorithm
def test_a_mac_under_an_honest_header_is_a_bad_signature(algorithm: Algorithm) -> None:
    signed = f"{encode_part(head(algorithm))}.{encode_part(PAYLOAD)}"
    mac = hmac.new(PAIRS[algorithm][1].encode(), signed.encode(), hashlib.sha256).digest()

    assert refusal(f"{signed}.{encode_part(mac)}") == "bad signature"


@pytest.mark.parametrize(
    ("kid", "claimed"), [(kid, other) for kid in Algorithm for other in Algorithm if kid != other]
)
def test_the_key_says_which_algorithm_verifies_and_not_the_token(
    kid: Algorithm, claimed: Algorithm
) -> None:
    header = head(claimed, kid=kid.value)

    # By the key that the header names, by the one for its algorithm, and by nobody.
    for pem in (PAIRS[kid][0], PAIRS[claimed][0]):
        assert refusal(forge(header, PAYLOAD, pem=pem)) == "algorithm not allowed"
    assert refusal(forge(header, PAYLOAD)) == "algorithm not allowed"
    # An honest header, and the signature of one of our own keys of another kind.
    assert refusal(forge(head(kid), PAYLOAD, pem=PAIRS[claimed][0])) == "bad signature"


@each_algorithm
@pytest.mark.parametrize("size", [0, 1, 32, 63, 64, 65, 256, 384, 385])
def test_a_signature_of_nothing_is_a_bad_one(algorithm: Algorithm, size: int) -> None:
    for byte in (b"\x00", b"\x01", b"\xff"):
        assert refusal(forge(head(algorithm), PAYLOAD, signature=byte * size)) == "bad signature"


@each_algorithm
@pytest.mark.parametrize("name", ["jwk", "jku", "x5u", "x5c", "x5t"])
def test_a_key_that_the_token_brings_along_is_not_used(algorithm: Algorithm, name: str) -> None:
    private_pem, public_pem = STRANGERS[algorithm]
    brought = PublicKey.from_pem(kid=algorithm.value, algorithm=algorithm, pem=public_pem).jwk()
    own = partial(forge, payload=PAYLOAD, pem=private_pem)

    for value in (dict(brought), [public_pem], "http://127.0.0.1/jwks.json"):
        assert refusal(own(head(algorithm, **{name: value}))) == "bad signature"


@each_algorithm
@pytest.mark.parametrize(
    "kid", ["", "k2", "es256", "ES256\x00", "../../dev/null", "' OR 1=1 --", "http://127.0.0.1/k"]
)
def test_a_key_id_that_is_not_ours_is_an_unknown_key(algorithm: Algorithm, kid: str) -> None:
    assert refusal(forge(head(algorithm, kid=kid), PAYLOAD, pem=PAIRS[algorithm][0])) == (
        "unknown key"
    )


@each_algorithm
def test_critical_headers_and_detached_payloads_are_refused(algorithm: Algorithm) -> None:
    own = partial(forge, payload=PAYLOAD, pem=PAIRS[algorithm][0])

    refused = {"malformed token", "critical header not understood"}
    assert refusal(own(head(algorithm, crit=["exp"]))) in refused
    for header in (head(algorithm, b64=False), head(algorithm, b64=False, crit=["b64"])):
        signed, _, signature = own(header).split(".")
        assert refusal(f"{signed}..{signature}") in refused


@each_algorithm
def test_a_claim_given_twice_is_refused_whoever_signed_it(algorithm: Algorithm) -> None:
    twice = b'{"user_id":"u0",' + json.dumps(PAYLOAD).encode()[1:]

    assert refusal(forge(head(algorithm), twice, pem=PAIRS[algorithm][0])) == "malformed token"
    assert refusal(forge(head(algorithm), twice, pem=STRANGERS[algorithm][0])) == "bad signature"


def test_a_curve_signature_is_not_taken_in_the_form_of_certificates() -> None:
    # RFC 7518, section 3.4: two numbers of a fixed length, and not DER, which has many spellings.
    signed, payload, signature = forge(
        head(Algorithm.ES256), PAYLOAD, pem=PAIRS[Algorithm.ES256][0]
    ).split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))

    assert refusal(f"{signed}.{payload}.{encode_part(der)}") == "bad signature"
