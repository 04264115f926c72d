"""What an operator may choose about the client. Pure.

A wrong value raises ValueError("field: why").
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from svckit.address import Address
from svckit.caller_lists import check_key

__all__ = ["AuthClientSettings"]

# Beyond these a value is a slip of the pen.
LEAST = 0.001
MOST = {
    "timeout_s": 300.0,
    "attempt_timeout_s": 300.0,
    "breaker_failures": 1_000,
    "breaker_cooldown_s": 3_600.0,
    "channels_per_target": 64,
    "ttl_allowed_s": 3_600.0,
    "ttl_denied_s": 3_600.0,
    "cache_entries_max": 100_000_000,
    "flights_max": 1_000_000,
}


MEMORY = "memory://"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthClientSettings:
    """Where Auth is, how long to wait for it, and how long to believe it.

    `grpc_targets` are "host:port"; `rest_urls` are "http(s)://host[:port][/prefix]", tried in their
    order. Either may be empty, not both. `max_staleness_s=0` turns all caches off.

    `cache_url` is "memory://", or "redis(s)://[user:password@]host[:port][/db]" for a level behind
    it that is shared. `cache_without_feed` keeps what a server without access.v1 says, too.
    """

    # Shown with each call. Who reads it may ask what we may ask.
    service_key: str = field(default="", repr=False)
    # PEM files. With `tls_ca`, no question goes out but over TLS to a server that it vouches for.
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    grpc_targets: tuple[str, ...] = ()
    rest_urls: tuple[str, ...] = ()
    timeout_s: float = 5.0
    attempt_timeout_s: float = 1.0
    breaker_failures: int = 5
    breaker_cooldown_s: float = 60.0
    channels_per_target: int = 2
    max_staleness_s: float = 2.0
    ttl_allowed_s: float = 30.0
    ttl_denied_s: float = 5.0
    cache_entries_max: int = 100_000
    cache_url: str = field(default=MEMORY, repr=False)  # it may hold a password
    cache_without_feed: bool = False
    flights_max: int = 10_000

    @property
    def has_second_level(self) -> bool:
        return self.cache_url != MEMORY and self.max_staleness_s > 0

    def __post_init__(self) -> None:
        if not self.grpc_targets and not self.rest_urls:
            raise ValueError("grpc_targets: empty, and so is rest_urls")
        for target in self.grpc_targets:
            _check_target(target)
        for url in self.rest_urls:
            _check_url(url)
        self._check_credential()
        if self.cache_url != MEMORY:
            _check_cache_url(self.cache_url)
        for name in ("grpc_targets", "rest_urls"):
            places = getattr(self, name)
            if len(set(places)) != len(places):
                raise ValueError(f"{name}: one place is named twice")
        for name, most in MOST.items():
            _check_number(name, getattr(self, name), most=most)
        if self.max_staleness_s != 0:
            _check_number("max_staleness_s", self.max_staleness_s, most=300.0)

    def _check_credential(self) -> None:
        if self.service_key:
            try:
                check_key(self.service_key)
            except ValueError as exc:
                raise ValueError(f"service_key: {exc}") from None
        for name, needed in (("cert", "key"), ("key", "cert"), ("cert", "ca")):
            if getattr(self, f"tls_{name}") and not getattr(self, f"tls_{needed}"):
                raise ValueError(f"tls_{needed}: not set, and tls_{name} needs it")
        # Whoever can block gRPC could else have us believe a plain answer, and read our key.
        if self.tls_ca and not all(url.startswith("https://") for url in self.rest_urls):
            raise ValueError("rest_urls: a value is not https://host, and tls_ca is set")


def _check_target(target: str) -> None:
    try:
        address = Address.parse(target)
    except ValueError as exc:
        raise ValueError(f"grpc_targets: {exc}") from exc
    if address.port == 0:
        raise ValueError(f"grpc_targets: {target!r} has no port")


def _check_url(url: str) -> None:
    # The URL itself is not repeated: an operator may have put a password into it.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError("rest_urls: a value is not a URL") from exc
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("rest_urls: a value is not http://host or https://host")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("rest_urls: a value has a query, a fragment or a user")


def _check_cache_url(url: str) -> None:
    # Not repeated either.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise ValueError("cache_url: the value is not a URL") from exc
    if parts.scheme not in ("redis", "rediss") or not parts.hostname or port == 0:
        raise ValueError("cache_url: the value is not memory:// or redis://host or rediss://host")
    database = parts.path.strip("/")
    if parts.query or parts.fragment or not (database == "" or database.isdecimal()):
        raise ValueError("cache_url: what follows the host is not the number of a database")


def _check_number(name: str, value: float, *, most: float) -> None:
    if not LEAST <= value <= most:  # false for nan, too
        raise ValueError(f"{name}: {value} is not from {LEAST} to {most:g}")
