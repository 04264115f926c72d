"""Tokens: signing them and judging them, with keys and time as arguments. Pure.

A token is a JWT (RFC 7519) signed by a key of ours. Which algorithm may verify it is a property of
our key, never of the token.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from authsvc.key_pairs import Algorithm, PrivateKey, PublicKey
from svckit.errors import InvalidRequest
from svckit.ids import check_id

__all__ = [
    "TokenRules",
    "Claims",
    "BadToken",
    "sign",
    "key_id",
    "verify",
    "ALGORITHMS",
]

# What a signing key of ours may use; anything else is refused before a signature is looked at.
ALGORITHMS = frozenset(algorithm.value for algorithm in Algorithm)
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
    session_id: str | None = None


class BadToken(Exception):
    """The token is worth nothing; `reason` is short and safe to tell anyone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def sign(claims: Claims, *, key: PrivateKey, rules: TokenRules) -> str:
    payload: dict[str, str | int] = {
        "iss": rules.issuer,
        "aud": rules.audience,
        "iat": claims.issued_at,
        "exp": claims.expires_at,
        "jti": claims.token_id,
        "user_id": claims.user_id,
        "organization_id": claims.organization_id,
    }
    if claims.session_id is not None:
        payload["sid"] = claims.session_id
    return jwt.encode(payload, key.key, algorithm=key.algorithm.value, headers={"kid": key.kid})


def key_id(token: str) -> str:
    """The id of the key that the token claims to be signed with. Raises BadToken."""
    if len(token) > TOKEN_BYTES_MAX or not token.isascii():
        raise BadToken("malformed token")
    try:
        jwt.get_unverified_header(token)
        header = _unambiguous(jwt.utils.base64url_decode(token.partition(".")[0]))
    except (jwt.InvalidTokenError, ValueError, RecursionError) as exc:
        raise BadToken("malformed token") from exc
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
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


class _UnambiguousJwt(jwt.PyJWT):
    """The library's, which would believe the last of two claims with one name."""

    def _decode_payload(self, decoded: dict[str, Any]) -> dict[str, Any]:
        try:
            payload = _unambiguous(decoded["payload"])
        except ValueError as exc:
            raise jwt.DecodeError("not a JSON object") from exc
        return payload


JWT = _UnambiguousJwt()


def _unambiguous(text: bytes) -> dict[str, Any]:
    """Raises ValueError where a name stands twice, at any depth: two readers could differ."""
    value = json.loads(text, object_pairs_hook=_each_once)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004 # it is a bad text, not a bad call
    return value


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _verified_payload(token: str, key: PublicKey, rules: TokenRules) -> dict[str, Any]:
    try:
        return JWT.decode(
            token,
            key.key,
            algorithms=[key.algorithm.value],
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
    except jwt.InvalidAlgorithmError as exc:
        raise BadToken("algorithm not allowed") from exc
    except jwt.InvalidAudienceError as exc:
        raise BadToken("wrong audience") from exc
    except jwt.InvalidIssuerError as exc:
        raise BadToken("wrong issuer") from exc
    except jwt.MissingRequiredClaimError as exc:
        raise BadToken("missing claim") from exc
    except (jwt.InvalidTokenError, RecursionError) as exc:
        raise BadToken("malformed token") from exc


def _claims(payload: Mapping[str, Any]) -> Claims:
    names = ("user_id", "organization_id", "jti", *(("sid",) if "sid" in payload else ()))
    ids = {name: payload[name] for name in names}
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
        session_id=ids.get("sid"),
    )


def _not_before(payload: Mapping[str, Any]) -> int:
    value = payload.get("nbf", 0)
    if type(value) is not int:
        raise BadToken("malformed token")
    return value
