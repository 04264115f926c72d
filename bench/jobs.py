"""What a client process is told to do, and what it reports; both travel as JSON. Pure."""

from dataclasses import dataclass
from typing import Literal

from bench.shape import Shape
from bench.statistics import Latency

__all__ = [
    "Mix",
    "Form",
    "LoadJob",
    "Load",
    "HitJob",
    "HitLoad",
    "SequenceJob",
    "SequenceLoad",
    "RevocationJob",
    "RevocationLoad",
    "PacedJob",
    "PacedLoad",
    "LoginJob",
    "LoginLoad",
    "BaselineServerJob",
]

# miss: each question over the wire. mixed: nine of ten are asked again and again.
Mix = Literal["miss", "mixed"]
# each: one question a call, as many callers as are in flight. set: one caller, all in one call.
Form = Literal["each", "set"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineServerJob:
    port: int
    stubs: str
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadJob:
    """A closed loop: who has an answer asks the next. `stubs` is where the baseline finds its."""

    target: str
    server_pid: int
    shape: Shape
    mix: Mix
    form: Form
    in_flight: int
    warm_up_s: float
    duration_s: float
    stubs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Counted in questions, warm-up left out. `elapsed_s` is the time that was counted.

    `failed` got an error of that name, warm-up included, `wrong` another answer than the data says,
    `dropped` none at all; `from_cache` of the answered ones did not go over the wire.
    """

    answered: int
    failed: dict[str, int]
    wrong: int
    dropped: int
    from_cache: int
    elapsed_s: float
    latency: Latency  # of a call, however many questions it asks
    client_cpu_s: float
    server_cpu_s: float

    @property
    def failed_total(self) -> int:
        return sum(self.failed.values())

    @property
    def per_s(self) -> float:
        return self.answered / self.elapsed_s


@dataclass(frozen=True, slots=True, kw_only=True)
class HitJob:
    target: str
    shape: Shape
    callers: tuple[int, ...]
    hits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HitLoad:
    """Latencies are means over a hundred calls, for one is shorter than the clock is exact.

    `missed` of the questions were not answered by the cache after all.
    """

    callers: int
    portero: Latency
    plain_dict: Latency
    missed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceJob:
    """One question after the other: first of users never asked about, then of a working set."""

    target: str
    shape: Shape
    cold_questions: int
    working_set_users: int
    warm_questions: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SequenceLoad:
    """A question that fails ends the measurement."""

    cold: Latency
    warm: Latency
    wrong: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationJob:
    """`is_auth_stopped`: the process is paused before each revocation, so that no feed tells."""

    target: str
    server_pid: int
    shape: Shape
    clients: int
    revocations: int
    is_auth_stopped: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationLoad:
    """Spans since the revocation was committed and acknowledged; 0 for those who knew earlier.

    `refused_ms` until a client was refused, `last_yes_ms` until its last yes. `missed` were not
    refused in time to be counted.
    """

    refused_ms: tuple[float, ...]
    last_yes_ms: tuple[float, ...]
    missed: int
    max_staleness_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedJob:
    """An open loop: a question every `every_s`, whether or not those before are answered."""

    every_s: float
    warm_up_s: float
    duration_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PacedLoad:
    """`dropped` were not asked, for too many had no answer yet; `failed` and `wrong` as in Load.

    Those three count the warm-up too.
    """

    answered: int
    failed: dict[str, int]
    wrong: int
    dropped: int
    latency: Latency

    @property
    def failed_total(self) -> int:
        return sum(self.failed.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginJob:
    """Checks go to `target`, logins to `login_target`, `in_flight` at a time."""

    target: str
    login_target: str
    server_pid: int
    shape: Shape
    in_flight: int
    checks: PacedJob


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLoad:
    """The same checks `without` logins and `beside` them. A login with a status but 200 failed."""

    in_flight: int
    without: PacedLoad
    beside: PacedLoad
    logins: Load
