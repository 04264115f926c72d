"""What a run found, as the JSON, the report and the plots tell it. Pure."""

from dataclasses import dataclass, field

from bench.jobs import Form, HitLoad, Load, LoginLoad, Mix, RevocationLoad, SequenceLoad

__all__ = ["Results", "Machine", "Series", "Build", "Revocations", "Scale", "BASELINE", "PORTERO"]

BASELINE = "grpc.aio"
PORTERO = "Portero"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    cores: int
    processor: str
    system: str
    python: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One load, repeated. `tracing` is "off" but where it is the question."""

    system: str
    mix: Mix
    form: Form
    in_flight: int
    tracing: str = "off"
    loads: list[Load] = field(default_factory=list)

    @property
    def per_s(self) -> list[float]:
        return [load.per_s for load in self.loads]

    @property
    def p50_us(self) -> list[float]:
        return [load.latency.p50_us for load in self.loads]


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A database that was filled for the run."""

    assignments: int
    took_s: float
    size_mb: float | None  # None: the database keeps that to itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocations:
    clients: int
    is_auth_stopped: bool
    load: RevocationLoad


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    assignments: int
    loads: list[SequenceLoad] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Results:
    """Sections that were not asked for are empty."""

    plan: str
    store: str
    took_s: float = 0.0
    machine: Machine
    load_before: float  # processes that others ran when we began, on average over a minute
    builds: list[Build] = field(default_factory=list)
    miss: list[Series] = field(default_factory=list)
    mixed: list[Series] = field(default_factory=list)
    tracing: list[Series] = field(default_factory=list)
    hit: list[list[HitLoad]] = field(default_factory=list)  # each repeat, all numbers of callers
    revocation: list[Revocations] = field(default_factory=list)
    scale: list[Scale] = field(default_factory=list)
    logins: list[LoginLoad] = field(default_factory=list)  # one a repeat

    @property
    def unanswered(self) -> int:
        """Questions that got an error, or nothing, on either side; and logins."""
        series = (*self.miss, *self.mixed, *self.tracing)
        loads = [load for one in series for load in one.loads]
        paced = [load for one in self.logins for load in (one.without, one.beside, one.logins)]
        return sum(load.failed_total + load.dropped for load in (*loads, *paced))
