"""How guessing passwords is slowed down, without anybody being locked out for ever. Pure.

Failed attempts are counted under three keys, and the longest wait of the three counts:

- the account from one network: 5 are free, then each makes the next one wait twice as long, from a
  second up to 15 minutes;
- the account from everywhere: the same after 100, but not for a network from which its own user
  has logged in before, so that strangers cannot keep them out;
- the network, whatever the account: 30 in a minute.

An attempt is counted before the password is looked at, and taken back when it was right: any number
of guesses at once are no way past the count.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv6Address, ip_address

__all__ = [
    "Scope",
    "Tally",
    "Attempt",
    "limit_keys",
    "wait_s",
    "counted",
    "taken_back",
    "begins_wait",
    "network_of",
    "FORGOTTEN_AFTER_S",
]

FREE_FROM_NETWORK = 5
FREE_FROM_EVERYWHERE = 100
NETWORK_FAILURES_MAX = 30
NETWORK_WINDOW_S = 60
WAIT_MAX_S = 15 * 60
# The longest wait leaves four guesses an hour; less than a day of rest must not buy quicker ones.
FORGOTTEN_AFTER_S = 24 * 60 * 60


class Scope(StrEnum):
    ACCOUNT_FROM_NETWORK = "account_from_network"
    ACCOUNT = "account"
    NETWORK = "network"


FREE = {
    Scope.ACCOUNT_FROM_NETWORK: FREE_FROM_NETWORK,
    Scope.ACCOUNT: FREE_FROM_EVERYWHERE,
    Scope.NETWORK: NETWORK_FAILURES_MAX,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`counted_at`: of the last failure; of a network, when its minute began. Since 1970."""

    failures: int = 0
    counted_at: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Who is said to log in, and from where. Both come from outside."""

    organization_id: str
    email_folded: str
    network: str


def limit_keys(attempt: Attempt) -> dict[Scope, str]:
    """What failures are counted under: hashes, which are the same size for any input."""
    account = (attempt.organization_id, attempt.email_folded)
    parts = {
        Scope.ACCOUNT_FROM_NETWORK: (*account, attempt.network),
        Scope.ACCOUNT: account,
        Scope.NETWORK: (attempt.network,),
    }
    return {scope: _hash(scope, *of) for scope, of in parts.items()}


def _hash(*parts: str) -> str:
    # No part holds a control character, so no two lists of parts look the same.
    return sha256("\0".join(parts).encode()).hexdigest()


def wait_s(tallies: Mapping[Scope, Tally], *, now: float, is_known_network: bool) -> float:
    """How long until the next attempt may be made; 0: now."""
    return max(
        _wait_s(scope, tally, now)
        for scope, tally in tallies.items()
        if not (scope is Scope.ACCOUNT and is_known_network)
    )


def _wait_s(scope: Scope, tally: Tally, now: float) -> float:
    excess = tally.failures - FREE[scope]
    if excess < 0:
        return 0.0
    # 2**10 s is beyond the longest wait; a larger power may not fit into a float.
    growing_s = min(WAIT_MAX_S, 2 ** min(excess, 10))
    pause_s = NETWORK_WINDOW_S if scope is Scope.NETWORK else growing_s
    return max(0.0, pause_s - _elapsed_s(tally, now))


def counted(scope: Scope, tally: Tally, *, now: float) -> Tally:
    """With one failure more."""
    span_s = NETWORK_WINDOW_S if scope is Scope.NETWORK else FORGOTTEN_AFTER_S
    if tally.failures == 0 or _elapsed_s(tally, now) >= span_s:
        return Tally(failures=1, counted_at=int(now))
    counted_at = tally.counted_at if scope is Scope.NETWORK else int(now)
    return Tally(failures=tally.failures + 1, counted_at=counted_at)


def taken_back(scope: Scope, tally: Tally) -> Tally:
    """After a success: one failure less, and none at all for this account from this network."""
    if scope is Scope.ACCOUNT_FROM_NETWORK:
        return Tally()
    return replace(tally, failures=max(0, tally.failures - 1))


def begins_wait(scope: Scope, tally: Tally) -> bool:
    """Whether the last failure was the one after which attempts have to wait."""
    return tally.failures == FREE[scope]


def _elapsed_s(tally: Tally, now: float) -> float:
    # A clock that was set back must not make anyone wait until it has caught up.
    return abs(now - tally.counted_at)


def network_of(host: str) -> str:
    """The part of an address that costs something to change: an IPv4 address, an IPv6 /64."""
    try:
        address = ip_address(host)
    except ValueError:
        return host  # the name that a server gives to a peer without an address
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return f"{IPv6Address(int(address) >> 64 << 64)}/64"
