"""Key pairs: each of its own kind, told by its public half alone."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from authsvc.key_pairs import Algorithm, PrivateKey, PublicKey, new_key_pair

PAIRS = {algorithm: new_key_pair(algorithm) for algorithm in Algorithm}
Odd = ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey | rsa.RSAPrivateKey | dsa.DSAPrivateKey
MEMBERS = {
    Algorithm.ES256: {"kty": "EC", "crv": "P-256", "alg": "ES256"},
    Algorithm.EDDSA: {"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA"},
    Algorithm.RS256: {"kty": "RSA", "e": "AQAB", "alg": "RS256"},
}
NAMES = {
    Algorithm.ES256: {"kty", "use", "alg", "kid", "crv", "x", "y"},
    Algorithm.EDDSA: {"kty", "use", "alg", "kid", "crv", "x"},
    Algorithm.RS256: {"kty", "use", "alg", "kid", "n", "e"},
}


def public(algorithm: Algorithm) -> PublicKey:
    return PublicKey.from_pem(kid="k1", algorithm=algorithm, pem=PAIRS[algorithm][1])


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_jwk_has_the_public_members_of_its_kind_and_no_others(algorithm: Algorithm) -> None:
    jwk = public(algorithm).jwk()

    assert set(jwk) == NAMES[algorithm]
    assert dict(jwk) == {**jwk, **MEMBERS[algorithm], "use": "sig", "kid": "k1"}


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_verifier_elsewhere_verifies_by_the_jwk_alone(algorithm: Algorithm) -> None:
    private = PrivateKey.from_pem(kid="k1", algorithm=algorithm, pem=PAIRS[algorithm][0])
    token = jwt.encode({"a": 1}, private.key, algorithm=algorithm.value)

    elsewhere = jwt.PyJWK(dict(public(algorithm).jwk()))

    assert jwt.decode(token, elsewhere, algorithms=[algorithm.value]) == {"a": 1}


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("other", list(Algorithm))
def test_a_key_is_of_its_own_algorithm_or_it_is_refused(
    algorithm: Algorithm, other: Algorithm
) -> None:
    private_pem, public_pem = PAIRS[algorithm]
    if other is algorithm:
        assert PrivateKey.from_pem(kid="k", algorithm=other, pem=private_pem).algorithm is other
        return
    with pytest.raises(ValueError, match="not for"):
        PublicKey.from_pem(kid="k", algorithm=other, pem=public_pem)
    with pytest.raises(ValueError, match="not for"):
        PrivateKey.from_pem(kid="k", algorithm=other, pem=private_pem)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES256", ec.generate_private_key(ec.SECP384R1())),
        ("ES256", ec.generate_private_key(ec.SECP256K1())),
        ("EdDSA", ed448.Ed448PrivateKey.generate()),
        ("RS256", rsa.generate_private_key(public_exponent=65537, key_size=1024)),  # noqa: S505 # refused below
        ("RS256", dsa.generate_private_key(key_size=2048)),
    ],
)
def test_another_curve_and_a_short_modulus_are_refused(algorithm: str, key: Odd) -> None:
    private_pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    public_pem = (
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )

    with pytest.raises(ValueError, match="the store holds a key"):
        PublicKey.from_pem(kid="k", algorithm=algorithm, pem=public_pem)
    with pytest.raises(ValueError, match="the store holds a key"):
        PrivateKey.from_pem(kid="k", algorithm=algorithm, pem=private_pem)


@pytest.mark.parametrize("algorithm", ["ES384", "none", "HS256", "es256", ""])
def test_an_algorithm_that_is_not_ours_has_no_keys(algorithm: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Algorithm"):
        PublicKey.from_pem(kid="k", algorithm=algorithm, pem=PAIRS[Algorithm.ES256][1])


def test_a_private_key_does_not_show_itself() -> None:
    pem = PAIRS[Algorithm.ES256][0]

    shown = repr(PrivateKey.from_pem(kid="k1", algorithm="ES256", pem=pem))

    assert shown == "PrivateKey(kid='k1', algorithm=<Algorithm.ES256: 'ES256'>)"


def test_rsa_keys_are_long_enough() -> None:
    key = public(Algorithm.RS256).key

    assert isinstance(key, rsa.RSAPublicKey)
    assert key.key_size == 3072
