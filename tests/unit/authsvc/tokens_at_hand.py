"""One good token with its key and rules, and the ways in which a test changes it."""

from collections.abc import Mapping
from typing import Any

import pytest

from authsvc.key_pairs import PrivateKey, PublicKey, new_key_pair
from authsvc.tokens import BadToken, Claims, TokenRules, sign, verify
from tests.unit.authsvc.forge import forge

__all__ = [
    "RULES",
    "NOW",
    "CLAIMS",
    "PRIVATE_PEM",
    "PUBLIC_PEM",
    "PRIVATE_KEY",
    "KEYS",
    "HEADER",
    "PAYLOAD",
    "REASONS",
    "good_token",
    "ours",
    "refusal",
]

RULES = TokenRules(issuer="portero", audience="portero", ttl_s=600, leeway_s=5)
NOW = 1_800_000_000
CLAIMS = Claims(
    user_id="u1", organization_id="o1", token_id="t1", issued_at=NOW, expires_at=NOW + 600
)
PRIVATE_PEM, PUBLIC_PEM = new_key_pair()
PRIVATE_KEY = PrivateKey.from_pem(kid="k1", algorithm="ES256", pem=PRIVATE_PEM)
KEYS: Mapping[str, PublicKey] = {
    "k1": PublicKey.from_pem(kid="k1", algorithm="ES256", pem=PUBLIC_PEM)
}
HEADER = {"alg": "ES256", "typ": "JWT", "kid": "k1"}
PAYLOAD = {
    "iss": "portero",
    "aud": "portero",
    "iat": NOW,
    "exp": NOW + 600,
    "jti": "t1",
    "user_id": "u1",
    "organization_id": "o1",
}
REASONS = {
    "malformed token",
    "algorithm not allowed",
    "critical header not understood",
    "unknown key",
    "bad signature",
    "wrong audience",
    "wrong issuer",
    "missing claim",
    "token expired",
    "token not yet valid",
}


def good_token() -> str:
    return sign(CLAIMS, key=PRIVATE_KEY, rules=RULES)


def ours(payload: Any, header: Any = HEADER) -> str:
    """Signed with our own key: only the content can be wrong."""
    return forge(header, payload, pem=PRIVATE_PEM)


def refusal(token: str, *, now: float = NOW) -> str:
    with pytest.raises(BadToken) as caught:
        verify(token, keys=KEYS, rules=RULES, now=now)
    assert caught.value.reason in REASONS
    assert str(caught.value) == caught.value.reason
    return caught.value.reason
