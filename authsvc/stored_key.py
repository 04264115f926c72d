"""A signing key as it is stored. Pure."""

from dataclasses import dataclass, field

__all__ = ["StoredKey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """Times are whole seconds since 1970.

    `public_key` is a PEM text, and `private_key` is one or what `key_sealing` made of one. No
    token of this key is good for longer than `token_ttl_s`.
    """

    kid: str
    algorithm: str
    private_key: str = field(repr=False)
    public_key: str
    created_at: int
    signs_from: int
    token_ttl_s: int
