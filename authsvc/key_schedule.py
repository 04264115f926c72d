"""What each signing key is for at a moment, and when the next one is due. Pure.

    made: published --signs_from--> signs --signs_from of the next--> retired --> withdrawn

From its making until it is withdrawn a key verifies, and everyone can fetch its public half. It is
published for `publish_s` before it signs, so that no process and no verifier elsewhere meets it
unprepared, and retired until the longest token of it has expired.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from authsvc.stored_key import StoredKey

__all__ = [
    "KeyRules",
    "Phase",
    "phase_of",
    "signing_key",
    "withdrawn_at",
    "is_due",
    "noted",
    "turned",
    "rotated",
    "withdrawn",
]


class Phase(StrEnum):
    PUBLISHED = "published"
    SIGNING = "signing"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """`rotation_s` of 0: no key is replaced unless somebody asks for it.

    `kept_s`: no process uses keys that it read longer ago. `leeway_s`: how far clocks may differ.
    `max_age_s`: how long a verifier elsewhere may keep the public keys that it fetched.
    """

    token_ttl_s: int
    rotation_s: int = 30 * 86_400
    publish_s: int = 600
    max_age_s: int = 300
    kept_s: float = 30.0
    leeway_s: int = 5

    def __post_init__(self) -> None:
        # Else somebody could meet a token of a key that they could not have heard of.
        assert self.kept_s + self.max_age_s + 2 * self.leeway_s <= self.publish_s, self

    @property
    def retirement_s(self) -> float:
        """What a key is kept after its last token's time to live.

        A process that has not heard of its successor signs with it for so long, by a clock that is
        late; and the clock by which it is withdrawn may be early.
        """
        return self.kept_s + 2 * self.leeway_s


def in_turn(keys: Collection[StoredKey]) -> list[StoredKey]:
    """In the order in which they sign."""
    return sorted(keys, key=lambda key: (key.signs_from, key.created_at, key.kid))


def signing_key(keys: Collection[StoredKey], now: float) -> StoredKey | None:
    """None only if there are no keys: before the first one's time, by a late clock, it signs."""
    ordered = in_turn(keys)
    started = [key for key in ordered if key.signs_from <= now]
    return next(iter([*reversed(started), *ordered]), None)


def phase_of(key: StoredKey, keys: Collection[StoredKey], now: float) -> Phase:
    signing = signing_key(keys, now)
    if key == signing:
        return Phase.SIGNING
    return Phase.PUBLISHED if key.signs_from > now else Phase.RETIRED


def withdrawn_at(key: StoredKey, keys: Collection[StoredKey], rules: KeyRules) -> float:
    """When its time is over; infinite for the last one, which has no successor yet."""
    ordered = in_turn(keys)
    later = ordered[ordered.index(key) + 1 :]
    if not later:
        return math.inf
    return later[0].signs_from + key.token_ttl_s + rules.retirement_s


def is_due(keys: Collection[StoredKey], now: float, rules: KeyRules) -> bool:
    """Whether a new key must be made now: the first one, or the next one."""
    if not keys:
        return True
    last = in_turn(keys)[-1]
    return rules.rotation_s > 0 and now >= last.signs_from + rules.rotation_s - rules.publish_s


def noted(keys: Collection[StoredKey], rules: KeyRules) -> tuple[StoredKey, ...]:
    """All say how long our tokens live, for it may be longer than those of who made the key."""
    return tuple(replace(k, token_ttl_s=max(k.token_ttl_s, rules.token_ttl_s)) for k in keys)


def turned(
    keys: Collection[StoredKey], spare: StoredKey | None, *, now: float, rules: KeyRules
) -> tuple[StoredKey, ...]:
    """The keys as they should be now: `spare` among them if one is due."""
    known = noted(keys, rules)
    kept = tuple(key for key in known if now < withdrawn_at(key, known, rules))
    if spare is None or not is_due(kept, now, rules):
        return kept
    return rotated(kept, spare, now=now, wait_s=rules.publish_s if kept else 0, rules=rules)


def rotated(
    keys: Collection[StoredKey], spare: StoredKey, *, now: float, wait_s: int, rules: KeyRules
) -> tuple[StoredKey, ...]:
    """With `spare`, which signs after `wait_s`; it brings no times of its own."""
    # Rounded up, or the wait would be cut short; but what signs from now on must have begun.
    signs_from = math.ceil(now + wait_s) if wait_s else int(now)
    # Of two keys that sign from the same second on, the later one must be told by its making.
    created_at = max([int(now), *(key.created_at + 1 for key in keys)])
    new = replace(
        spare, created_at=created_at, signs_from=signs_from, token_ttl_s=rules.token_ttl_s
    )
    return (*keys, new)


def withdrawn(
    keys: Collection[StoredKey], kid: str, spare: StoredKey, *, now: float, rules: KeyRules
) -> tuple[StoredKey, ...]:
    """Without this key, whatever it was for. If it signs, `spare` does so from now on."""
    kept = tuple(key for key in keys if key.kid != kid)
    signing = signing_key(keys, now)
    if signing is None or signing.kid != kid:
        return kept
    return rotated(kept, spare, now=now, wait_s=0, rules=rules)
