"""The lists in which an operator names the services that may call. Pure.

Each raises ValueError, with the number of the bad entry and never with the entry: it may be a key.
"""

import re
from collections.abc import Collection, Sequence

from svckit.callers import ServiceKey, certificate_names

__all__ = ["read_service_keys", "read_client_names", "read_service_rpcs", "check_key"]

KEY_CHARS_MIN = 32
# It travels in a header, and stands in a comma list.
KEY = re.compile(r"[!-+\--~]{32,1024}", re.ASCII)
NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


def read_service_keys(entries: Sequence[str]) -> tuple[ServiceKey, ...]:
    """Of `name:key`. A name may stand before several keys, but each key after one name."""
    keys: dict[bytes, ServiceKey] = {}
    for number, entry in enumerate(entries, start=1):
        name, _, key = entry.partition(":")
        if not NAME.fullmatch(name):
            raise ValueError(f"entry {number} is not name:key")
        try:
            check_key(key)
        except ValueError as exc:
            raise ValueError(f"the key of entry {number} {exc}") from None
        known = ServiceKey.of(name, key)
        if known.digest in keys:
            raise ValueError(f"the key of entry {number} stands there twice")
        keys[known.digest] = known
    return tuple(keys.values())


def check_key(key: str) -> None:
    """Raises ValueError, which says what a key is and nothing of this one."""
    if not KEY.fullmatch(key):
        raise ValueError(
            f"is not {KEY_CHARS_MIN} or more ASCII characters without spaces and commas"
        )


def read_client_names(entries: Sequence[str]) -> dict[str, str]:
    """Of `san=name`: the service by its certificate's name, as `certificate_names` spells it."""
    names: dict[str, str] = {}
    for number, entry in enumerate(entries, start=1):
        # From the right: a URI may hold an equals sign.
        alternative, _, name = entry.rpartition("=")
        if not alternative or "*" in alternative or not NAME.fullmatch(name):
            raise ValueError(f"entry {number} is not a DNS name or URI, =, and a service's name")
        kind = "URI" if ":" in alternative else "DNS"
        (spelled,) = certificate_names({"subjectAltName": ((kind, alternative),)})
        if spelled in names:
            raise ValueError(f"entry {number} names a certificate that has a service already")
        names[spelled] = name
    return names


def read_service_rpcs(
    entries: Sequence[str], *, services: Collection[str], rpcs: Collection[str]
) -> dict[str, frozenset[str]]:
    """Of `name:Rpc+Rpc`, with names among `services` and RPCs among `rpcs`."""
    allowed: dict[str, frozenset[str]] = {}
    for number, entry in enumerate(entries, start=1):
        name, _, listed = entry.partition(":")
        if name not in services:
            raise ValueError(f"entry {number} names a service that has no key and no certificate")
        if name in allowed:
            raise ValueError(f"entry {number} names a service that has an entry already")
        allowed[name] = frozenset(listed.split("+"))
        if not allowed[name] <= frozenset(rpcs):
            raise ValueError(f"entry {number} names an RPC that is none of {', '.join(rpcs)}")
    return allowed
