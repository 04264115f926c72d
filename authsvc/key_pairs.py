"""The keys that sign and verify tokens: which kinds there are, made anew, and parsed once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

__all__ = ["Algorithm", "PrivateKey", "PublicKey", "new_key_pair"]

# NIST SP 800-57: as strong as the two others (128 bits).
RSA_BITS = 3072
RSA_BITS_MIN = 2048

Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
Public = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


class Algorithm(StrEnum):
    """As a token's header names it (RFC 7518, RFC 8037)."""

    ES256 = "ES256"
    EDDSA = "EdDSA"
    RS256 = "RS256"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    kid: str
    algorithm: Algorithm
    key: Private = field(repr=False)

    @classmethod
    def from_pem(cls, *, kid: str, algorithm: str, pem: str) -> "PrivateKey":
        """Raises ValueError for what is no key of this algorithm."""
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, Private):
            raise ValueError("the store holds a key of another kind")  # noqa: TRY004 # it is a bad value
        kind = Algorithm(algorithm)
        _check(kind, key.public_key())
        return cls(kid=kid, algorithm=kind, key=key)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """`key` is parsed once, since parsing costs as much as verifying."""

    kid: str
    algorithm: Algorithm
    key: Public

    @classmethod
    def from_pem(cls, *, kid: str, algorithm: str, pem: str) -> "PublicKey":
        """Raises ValueError for what is no key of this algorithm."""
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, Public):
            raise ValueError("the store holds a key of another kind")  # noqa: TRY004 # it is a bad value
        kind = Algorithm(algorithm)
        _check(kind, key)
        return cls(kid=kid, algorithm=kind, key=key)

    def jwk(self) -> Mapping[str, str]:
        """RFC 7517, section 4; `key_ops` is left out, for it says the same as `use` (4.3)."""
        return {
            "kty": KTY[self.algorithm],
            "use": "sig",
            "alg": self.algorithm.value,
            "kid": self.kid,
            **{name: value for name, value in _members(self.key).items() if name in PUBLIC_MEMBERS},
        }


KTY = {Algorithm.ES256: "EC", Algorithm.EDDSA: "OKP", Algorithm.RS256: "RSA"}
# Named one by one: nothing else of a key may ever be told.
PUBLIC_MEMBERS = frozenset({"crv", "x", "y", "n", "e"})


def new_key_pair(algorithm: Algorithm = Algorithm.ES256) -> tuple[str, str]:
    """A fresh pair as PEM texts: private (PKCS #8), public (SubjectPublicKeyInfo).

    RS256 takes some tenths of a second.
    """
    key = _generate(algorithm)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def _generate(algorithm: Algorithm) -> Private:
    match algorithm:
        case Algorithm.ES256:
            return ec.generate_private_key(ec.SECP256R1())
        case Algorithm.EDDSA:
            return ed25519.Ed25519PrivateKey.generate()
        case Algorithm.RS256:
            return rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        case _:
            assert_never(algorithm)


def _check(algorithm: Algorithm, key: Public) -> None:
    match algorithm:
        case Algorithm.ES256:
            fits = isinstance(key, ec.EllipticCurvePublicKey) and (
                isinstance(key.curve, ec.SECP256R1)
            )
        case Algorithm.EDDSA:
            fits = isinstance(key, ed25519.Ed25519PublicKey)
        case Algorithm.RS256:
            fits = isinstance(key, rsa.RSAPublicKey) and key.key_size >= RSA_BITS_MIN
        case _:
            assert_never(algorithm)
    if not fits:
        raise ValueError(f"the store holds a key that is not for {algorithm}")


def _members(key: Public) -> dict[str, str]:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return ECAlgorithm.to_jwk(key, as_dict=True)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return OKPAlgorithm.to_jwk(key, as_dict=True)
    return RSAAlgorithm.to_jwk(key, as_dict=True)
