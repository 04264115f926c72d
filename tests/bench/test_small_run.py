"""The whole bench, a few hundred calls of it, with real processes: nothing is said about time."""

import asyncio
import os
from pathlib import Path

import pytest

from bench.jobs import Load, PacedLoad
from bench.plan import Plan
from bench.progress import Show
from bench.run import run, write
from bench.shape import Shape

TINY = Shape(organizations=2, users_each=20)
PLAN = Plan(
    name="tiny",
    repeats=1,
    warm_up_s=0.05,
    duration_s=0.2,
    in_flight=(4,),
    hits=400,
    clients=(2,),
    revocations=1,
    revocations_unheard=1,
    small=TINY,
    large=Shape(organizations=2, users_each=40),
    cold_questions=10,
    working_set_users=10,
    warm_questions=20,
    logins_s=1.0,
)


@pytest.fixture(autouse=True)
def _unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measuring the coverage of the processes it starts would take twice as long."""
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)


def test_both_sides_answer_every_question_right(tmp_path: Path) -> None:
    with Show() as show:
        results = asyncio.run(run(PLAN, ("miss", "hit"), store="sqlite", show=show))

    loads = [load for series in results.miss for load in series.loads]
    assert len(loads) == 3
    assert all(is_clean(load) for load in loads)
    assert [load.missed for loads in results.hit for load in loads] == [0]
    page = write(results, tmp_path, name="tiny")
    assert page.read_text().count("![") == len(list(tmp_path.glob("*.png"))) == 2


def test_a_revocation_is_seen_and_large_data_is_asked_about() -> None:
    with Show() as show:
        results = asyncio.run(run(PLAN, ("revocation", "scale"), store="sqlite", show=show))

    told, unheard = results.revocation
    assert (told.load.missed, unheard.load.missed) == (0, 0)
    assert max(unheard.load.last_yes_ms) <= unheard.load.max_staleness_ms
    assert [load.wrong for scale in results.scale for load in scale.loads] == [0, 0]


def test_logins_succeed_while_checks_are_asked_and_none_of_either_is_lost() -> None:
    with Show() as show:
        results = asyncio.run(run(PLAN, ("logins",), store="sqlite", show=show))

    (found,) = results.logins
    assert is_clean(found.logins)
    assert [is_whole(load) for load in (found.without, found.beside)] == [True, True]
    assert results.unanswered == 0


def is_whole(load: PacedLoad) -> bool:
    """All that were due in a second are in it; warm-up's last may be answered after its end."""
    due = round(PLAN.logins_s / PLAN.checks_every_s)
    return load.answered >= due and not (load.failed or load.wrong or load.dropped)


def is_clean(load: Load) -> bool:
    return load.answered > 0 and not (load.failed or load.wrong or load.dropped or load.from_cache)
