"""Auth's settings: environment variables with the prefix `AUTH_`. Pure."""

from dataclasses import dataclass, field
from typing import Annotated

from msgspec import Meta

from authsvc.asking import read_callers
from authsvc.key_pairs import Algorithm
from svckit.address import Address
from svckit.callers import Callers
from svckit.settings import Seconds

__all__ = ["AuthSettings", "PREFIX"]

PREFIX = "AUTH_"

ROTATION_S_MIN = (
    3_600  # a key is kept for up to a day after its last token: at most some 25 of them
)

# Too long to be guessed; the upper bound is for a whole file pasted by mistake.
Secret = Annotated[str, Meta(min_length=32, max_length=1024)]
# Who sets the first must set the second.
NEEDS = (
    ("tls_cert", "tls_key"),
    ("tls_key", "tls_cert"),
    ("tls_client_ca", "tls_cert"),
    ("tls_client_ca", "tls_client_names"),
    ("tls_client_names", "tls_client_ca"),
)

Name = Annotated[str, Meta(min_length=1, max_length=256)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthSettings:
    """Field `grpc_bind` is `AUTH_GRPC_BIND`, and so on. Raises ValueError on a rule broken."""

    grpc_bind: Address = Address("127.0.0.1", 50051)
    http_bind: Address = Address("127.0.0.1", 8001)
    # Which services may ask, by `name:key`, and by `san=name` of a client's certificate; and what,
    # by `name:Rpc+Rpc`.
    service_keys: tuple[str, ...] = field(default=(), repr=False)
    service_rpcs: tuple[str, ...] = ()
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    tls_client_names: tuple[str, ...] = ()
    # Ports beyond loopback on which anyone may ask about anyone.
    insecure: bool = False
    reflection: bool | None = None  # of gRPC; not said: on loopback only

    # A password may be in it.
    database_url: str = field(default="sqlite+aiosqlite:///var/auth.db", repr=False)
    # Off for operators who migrate by hand (`authctl migrate`) before they roll out.
    migrate_on_start: bool = True

    # How much of the access data is kept in memory: a user counts 1, and 1 for each local,
    # permission and session held; an organization or local counts 1. About 100 bytes each.
    records_max: Annotated[int, Meta(ge=1_000, le=100_000_000)] = 1_000_000

    token_issuer: Name = "portero"  # noqa: S105 # a name, not a secret
    token_audience: Name = "portero"  # noqa: S105 # a name, not a secret
    token_ttl_s: Annotated[int, Meta(ge=1, le=86_400)] = 600

    key_algorithm: Algorithm = Algorithm.ES256
    key_rotation_s: Annotated[int, Meta(ge=0, le=3_650 * 86_400)] = 30 * 86_400
    key_secret: Secret | None = field(default=None, repr=False)
    key_secret_old: Secret | None = field(default=None, repr=False)
    # From login to the last refresh, and how long one may go without a refresh.
    session_ttl_s: Annotated[int, Meta(ge=60, le=31_536_000)] = 30 * 86_400
    session_idle_s: Annotated[int, Meta(ge=60, le=31_536_000)] = 7 * 86_400

    call_timeout_s: Seconds = 5.0  # for calls that come without a deadline
    drain_s: Seconds = 5.0

    # Loads the demo data into an empty database and prints what to try.
    demo: bool = False
    demo_catalog_url: str = "http://127.0.0.1:8002"

    @property
    def callers(self) -> Callers:
        """False when none are named: then everybody who reaches the ports may ask."""
        return read_callers(
            service_keys=self.service_keys,
            tls_client_names=self.tls_client_names,
            service_rpcs=self.service_rpcs,
        )

    @property
    def has_reflection(self) -> bool:
        return self.grpc_bind.is_loopback if self.reflection is None else self.reflection

    def __post_init__(self) -> None:
        if 0 < self.key_rotation_s < ROTATION_S_MIN:
            raise ValueError(f"key_rotation_s: must be 0 or at least {ROTATION_S_MIN}")
        if self.key_secret_old is not None and self.key_secret is None:
            raise ValueError("key_secret: must be set where AUTH_KEY_SECRET_OLD is")
        for name, needed in NEEDS:
            if getattr(self, name) and not getattr(self, needed):
                raise ValueError(f"{needed}: not set, and {PREFIX}{name.upper()} needs it")
        if self.callers or self.insecure:
            return
        for name in ("grpc_bind", "http_bind"):
            address: Address = getattr(self, name)
            if not address.is_loopback:
                raise ValueError(
                    f"{name}: {address} is beyond loopback, where services must show who they are: "
                    "set AUTH_SERVICE_KEYS or AUTH_TLS_CLIENT_CA (or AUTH_INSECURE=yes)"
                )
