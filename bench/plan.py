"""How much is measured: everything, or what fits into two minutes. Pure."""

from dataclasses import dataclass
from typing import Literal

from bench.shape import Shape

__all__ = ["Plan", "Section", "SECTIONS", "FULL", "QUICK"]

Section = Literal["miss", "hit", "mixed", "revocation", "scale", "tracing", "logins"]
SECTIONS: tuple[Section, ...] = (
    *("miss", "hit", "mixed", "revocation", "scale", "tracing"),
    "logins",  # last: it leaves thousands of sessions behind
)

# 10 thousand assignments: what each section but `scale` asks about.
SMALL = Shape(organizations=10, users_each=100)
# 10 million.
LARGE = Shape(organizations=1_000, users_each=1_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`mixed_in_flight` and so on: the load of the section. Spans are of one measurement."""

    name: str
    repeats: int
    warm_up_s: float
    duration_s: float
    in_flight: tuple[int, ...] = (1, 32, 128, 1024)
    mixed_in_flight: tuple[int, ...] = (1, 32, 128, 1024)
    tracing_in_flight: int = 128
    hits: int = 300_000
    clients: tuple[int, ...] = (1, 10, 100)
    revocations: int = 25
    revocations_unheard: int = 5  # by an Auth that is stopped; each takes some seconds
    small: Shape = SMALL
    large: Shape = LARGE
    cold_questions: int = 1_000
    working_set_users: int = 10_000
    warm_questions: int = 4_000
    logins_in_flight: int = 8
    logins_s: float = 8.0  # long enough that a p99 of the checks rests on more than a few of them
    checks_every_s: float = 0.004


FULL = Plan(name="full", repeats=5, warm_up_s=1.0, duration_s=2.5)
QUICK = Plan(
    name="quick",
    repeats=2,
    warm_up_s=0.3,
    duration_s=0.4,
    mixed_in_flight=(128,),
    hits=100_000,
    revocations=5,
    revocations_unheard=1,
    large=Shape(organizations=100, users_each=500),
    cold_questions=300,
    working_set_users=1_000,
    warm_questions=500,
    logins_s=2.0,
)
