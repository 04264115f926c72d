"""A signing key and a token for each user, made once: signatures take their time."""

from dataclasses import dataclass
from functools import cache

from authsvc.key_pairs import PrivateKey, new_key_pair
from authsvc.store import StoredKey
from authsvc.tokens import Claims, TokenRules, sign
from tests.simulation.population import USERS
from tests.simulation.process import WALL_AT_ZERO

__all__ = ["RULES", "KeyRing", "key_ring"]

RULES = TokenRules(issuer="portero", audience="portero", ttl_s=3_600)
ISSUED_AT = int(WALL_AT_ZERO) + 900
# The first user's token ends in the midst of things.
EXPIRES_AT = (ISSUED_AT + 104, *(ISSUED_AT + 100_000 for _ in USERS[1:]))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    key: StoredKey
    tokens: dict[str, str]
    expires_at: dict[str, int]


@cache
def key_ring() -> KeyRing:
    private_pem, public_pem = new_key_pair()
    private = PrivateKey.from_pem(kid="k", algorithm="ES256", pem=private_pem)
    tokens = {
        user_id: sign(
            Claims(
                user_id=user_id,
                organization_id=user_id.partition("-")[0],
                token_id=user_id,
                issued_at=ISSUED_AT,
                expires_at=expires_at,
            ),
            key=private,
            rules=RULES,
        )
        for user_id, expires_at in zip(USERS, EXPIRES_AT, strict=True)
    }
    key = StoredKey(
        kid="k",
        algorithm="ES256",
        private_key=private_pem,
        public_key=public_pem,
        created_at=ISSUED_AT,
        signs_from=ISSUED_AT,
        token_ttl_s=RULES.ttl_s,
    )
    return KeyRing(key=key, tokens=tokens, expires_at=dict(zip(USERS, EXPIRES_AT, strict=True)))
