"""What a run is measured against, and whether it got there. Pure.

The goals are ratios within one run wherever a ratio can say it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.jobs import Form, LoginLoad
from bench.results import BASELINE, PORTERO, Results, Series
from bench.statistics import Spread, percentile, ratios, spread

__all__ = ["Goal", "goals_of", "find", "percentile_ms", "CALL", "REVOCATION_P99_MS"]

THROUGHPUT = {32: 25.0, 128: 50.0, 1024: 100.0}
HIT_US = 1.5
SEQUENTIAL = 0.5
REVOCATION_P99_MS = 50.0
SCALE = 1.3
TRACING = {"1 %": 0.10, "always": 0.15}
LOGINS = 3.0
CALL: dict[Form, str] = {"each": "validate_local", "set": "validate_locals"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """Met when the median of the repeats is."""

    name: str
    wanted: str
    reached: str
    is_met: bool


def goals_of(results: Results) -> Iterator[Goal]:
    """Those whose section was run."""
    if results.miss:
        yield from _miss_goals(results.miss)
    if results.hit:
        figures = [hits.portero.p50_us for loads in results.hit for hits in loads[:1]]
        yield _at_most("cache hit, awaited", spread(figures), HIT_US, unit=" us")
    yield from _revocation_goals(results)
    yield from _scale_goals(results)
    yield from _tracing_goals(results.tracing)
    if results.logins:
        yield _login_goal(results.logins)


def find(
    series: Sequence[Series], system: str, *, in_flight: int, form: Form = "each"
) -> Series | None:
    for one in series:
        if (one.system, one.in_flight, one.form) == (system, in_flight, form):
            return one
    return None


def percentile_ms(spans_ms: Sequence[float], percent: float) -> float:
    """Infinite when there is nothing to take it of: nobody was refused."""
    return percentile(sorted(spans_ms), percent) if spans_ms else float("inf")


def _miss_goals(miss: Sequence[Series]) -> Iterator[Goal]:
    alone, theirs = find(miss, PORTERO, in_flight=1), find(miss, BASELINE, in_flight=1)
    if alone and theirs:
        figure = ratios(alone.p50_us, theirs.p50_us)
        yield _at_most("a check in sequence, uncached, p50", figure, SEQUENTIAL, unit=" x")
    for in_flight, wanted in THROUGHPUT.items():
        baseline = find(miss, BASELINE, in_flight=in_flight)
        for form in ("each", "set"):
            ours = find(miss, PORTERO, in_flight=in_flight, form=form)
            if ours and baseline:
                figure = ratios(ours.per_s, baseline.per_s)
                yield Goal(
                    name=f"checks/s, {in_flight} in flight, uncached, by `{CALL[form]}`",
                    wanted=f">= {wanted:g} x",
                    reached=_shown(figure, " x"),
                    is_met=figure.median >= wanted,
                )


def _revocation_goals(results: Results) -> Iterator[Goal]:
    for one in results.revocation:
        load = one.load
        if one.is_auth_stopped:
            last = max(load.last_yes_ms)
            yield Goal(
                name=f"last yes while Auth is stopped, {one.clients} clients",
                wanted=f"<= {load.max_staleness_ms:g} ms",
                reached=f"{last:.0f} ms",
                is_met=last <= load.max_staleness_ms,
            )
        elif one.clients == max(each.clients for each in results.revocation):
            for name, spans in (("refuse", load.refused_ms), ("stop saying yes", load.last_yes_ms)):
                p99 = percentile_ms(spans, 99)
                yield Goal(
                    name=f"{one.clients} clients {name} after a revocation, p99",
                    wanted=f"<= {REVOCATION_P99_MS:g} ms",
                    reached=f"{p99:.1f} ms",
                    is_met=p99 <= REVOCATION_P99_MS and not load.missed,
                )


def _scale_goals(results: Results) -> Iterator[Goal]:
    if len(results.scale) != 2:
        return
    small, large = results.scale
    sizes = f"{large.assignments:,} against {small.assignments:,} assignments"
    for name in ("warm", "cold"):
        figure = ratios(
            [getattr(load, name).p50_us for load in large.loads],
            [getattr(load, name).p50_us for load in small.loads],
        )
        yield _at_most(f"p50 of a {name} miss, {sizes}", figure, SCALE, unit=" x")


def _tracing_goals(tracing: Sequence[Series]) -> Iterator[Goal]:
    by_name = {series.tracing: series for series in tracing}
    for name, most in TRACING.items():
        if name in by_name:
            kept = ratios(by_name[name].per_s, by_name["off"].per_s)
            cost = Spread(median=1 - kept.median, low=1 - kept.high, high=1 - kept.low)
            yield Goal(
                name=f"tracing {name} costs of batched throughput",
                wanted=f"<= {most:.0%}",
                reached=f"{cost.median:.0%} ({cost.low:.0%} to {cost.high:.0%})",
                is_met=cost.median <= most,
            )


def _login_goal(logins: Sequence[LoginLoad]) -> Goal:
    """Not met when anything went wrong: what got no answer is in no percentile."""
    figure = ratios(
        [load.beside.latency.p99_us for load in logins],
        [load.without.latency.p99_us for load in logins],
    )
    goal = _at_most(
        f"p99 of checks with {logins[0].in_flight} logins in flight", figure, LOGINS, unit=" x"
    )
    return goal if all(map(_is_clean, logins)) else replace(goal, is_met=False)


def _is_clean(load: LoginLoad) -> bool:
    return all(
        one.answered > 0 and not (one.failed or one.wrong or one.dropped)
        for one in (load.without, load.beside, load.logins)
    )


def _at_most(name: str, figure: Spread, most: float, *, unit: str) -> Goal:
    return Goal(
        name=name,
        wanted=f"<= {most:g}{unit}",
        reached=_shown(figure, unit),
        is_met=figure.median <= most,
    )


def _shown(figure: Spread, unit: str) -> str:
    return f"{figure.median:.3g}{unit} ({figure.low:.3g} to {figure.high:.3g})"
