"""Tokens: signing them and judging them, with keys and time as arguments. Pure.

A token is a JWT (RFC 7519) signed by a key of ours. Which algorithm may verify it is a property of
our key, never of the token.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from svckit.errors import InvalidRequest
from svckit.ids import check_id

__all__ = [
    "TokenRules",
    "Claims",
    "BadToken",
    "PrivateKey",
    "PublicKey",
    "new_key_pair",
    "sign",
    "key_id",
    "verify",
    "ALGORITHMS",
]

# What a signing key of ours may use; anything else is refused before a signature is looked at.
ALGORITHMS = ("ES256",)
TOKEN_BYTES_MAX = 8192
REQUIRED_CLAIMS = ["iss", "aud", "exp", "iat", "jti", "user_id", "organization_id"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRules:
    """`leeway_s`: how far clocks may differ, in either direction."""

    issuer: str
    audience: str
    ttl_s: int
    leeway_s: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a good token says. Times are whole seconds since 1970."""

    user_id: str
    organization_id: str
    token_id: str
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateKey:
    kid: str
    algorithm: str
    pem: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """`key` is parsed once, since parsing costs as much as verifying."""

    kid: str
    algorithm: str
    key: ec.EllipticCurvePublicKey

    @classmethod
    def from_pem(cls, *, kid: str, algorithm: str, pem: str) -> "PublicKey":
        key = load_pem_public_key(pem.encode())
        assert isinstance(key, ec.EllipticCurvePublicKey), "the store holds a key of another kind"
        return cls(kid=kid, algorithm=algorithm, key=key)


class BadToken(Exception):
    """The token is worth nothing; `reason` is short and safe to tell anyone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def new_key_pair() -> tuple[str, str]:
    """A fresh ES256 pair as PEM texts: private (PKCS #8), public (SubjectPublicKeyInfo)."""
    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def sign(claims: Claims, *, key: PrivateKey, rules: TokenRules) -> str:
    payload = {
        "iss": rules.issuer,
        "aud": rules.audience,
        "iat": claims.issued_at,
        "exp": claims.expires_at,
        "jti": claims.token_id,
        "user_id": claims.user_id,
        "organization_id": claims.organization_id,
    }
    private = load_pem_private_key(key.pem.encode(), password=None)
    assert isinstance(private, ec.EllipticCurvePrivateKey), "the store holds a key of another kind"
    return jwt.encode(payload, private, algorithm=key.algorithm, headers={"kid": key.kid})


def key_id(token: str) -> str:
    """The id of the key that the token claims to be signed with. Raises BadToken."""
    if len(token) > TOKEN_BYTES_MAX or not token.isascii():
        raise BadToken("malformed token")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, RecursionError) as exc:
        raise BadToken("malformed token") from exc
    if header.get("alg") not in ALGORITHMS:
        raise BadToken("algorithm not allowed")
    if "crit" in header:
        raise BadToken("critical header not understood")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise BadToken("unknown key")
    return kid


def verify(token: str, *, keys: Mapping[str, PublicKey], rules: TokenRules, now: float) -> Claims:
    """What the token says, if every check holds at wall time `now`. Raises BadToken."""
    key = keys.get(key_id(token))
    if key is None:
        raise BadToken("unknown key")
    payload = _verified_payload(token, key, rules)
    claims = _claims(payload)
    if now >= claims.expires_at + rules.leeway_s:
        raise BadToken("token expired")
    if now < max(claims.issued_at, _not_before(payload)) - rules.leeway_s:
        raise BadToken("token not yet valid")
    return claims


def _verified_payload(token: str, key: PublicKey, rules: TokenRules) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=[key.algorithm],
            issuer=rules.issuer,
            audience=rules.audience,
            # The library would read the clock for these; `verify` judges them with its own now.
            options={
                "require": REQUIRED_CLAIMS,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
            },
        )
    except jwt.InvalidSignatureError as exc:
        raise BadToken("bad signature") from exc
    except jwt.InvalidAudienceError as exc:
        raise BadToken("wrong audience") from exc
    except jwt.InvalidIssuerError as exc:
        raise BadToken("wrong issuer") from exc
    except jwt.MissingRequiredClaimError as exc:
        raise BadToken("missing claim") from exc
    except (jwt.InvalidTokenError, RecursionError) as exc:
        raise BadToken("malformed token") from exc


def _claims(payload: Mapping[str, Any]) -> Claims:
    ids = {name: payload[name] for name in ("user_id", "organization_id", "jti")}
    times = (payload["iat"], payload["exp"])
    # type() and not isinstance(): True is an int to Python, but not to anyone else.
    if not all(type(value) is str for value in ids.values()) or not all(
        type(value) is int for value in times
    ):
        raise BadToken("malformed token")
    try:
        for name, value in ids.items():
            check_id(name, value)
    except InvalidRequest as exc:
        raise BadToken("malformed token") from exc
    return Claims(
        user_id=ids["user_id"],
        organization_id=ids["organization_id"],
        token_id=ids["jti"],
        issued_at=times[0],
        expires_at=times[1],
    )


def _not_before(payload: Mapping[str, Any]) -> int:
    value = payload.get("nbf", 0)
    if type(value) is not int:
        raise BadToken("malformed token")
    return value
