"""The tables of a run, in Markdown. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from bench.goals import CALL, find, goals_of, percentile_ms
from bench.jobs import Load, PacedLoad
from bench.results import BASELINE, Results, Series
from bench.statistics import Spread, ratios, spread

__all__ = ["markdown"]


def markdown(results: Results, *, plots: Iterable[str]) -> str:
    """`plots` are file names beside the report."""
    return "\n".join(_lines(results, plots)) + "\n"


def _lines(results: Results, plots: Iterable[str]) -> Iterator[str]:
    machine = results.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    yield f"# `just bench`: the {results.plan} run"
    yield ""
    yield (
        f"Store: {results.store}. {machine.cores} cores ({machine.processor}), nothing pinned; "
        f"{machine.system}, Python {machine.python}, {versions}. Load of the machine before: "
        f"{results.load_before}. Took {results.took_s:.0f} s."
    )
    yield ""
    yield (
        "The baseline is grpc.aio on asyncio's own loop, as it wants; Portero runs on uvloop, with "
        "interceptors and metrics on. Figures are medians of the repeats, with the least and the "
        "greatest of them. Ratios are taken repeat by repeat."
    )
    yield from _goals(results)
    for plot in plots:
        yield from ("", f"![{plot.removesuffix('.svg').replace('-', ' ')}]({plot})")
    yield from _loads("Miss: every question over the wire", results.miss)
    yield from _loads("Mixed: nine of ten questions are in the cache", results.mixed)
    yield from _hits(results)
    yield from _revocations(results)
    yield from _scale(results)
    yield from _tracing(results)
    yield from _logins(results)


def _goals(results: Results) -> Iterator[str]:
    rows = [
        (goal.name, goal.wanted, goal.reached, "met" if goal.is_met else "**missed**")
        for goal in goals_of(results)
    ]
    yield from _table("Goals", ("", "goal", "reached", ""), rows)


def _loads(title: str, series: Sequence[Series]) -> Iterator[str]:
    heads = (
        *("in flight", "", "checks/s", "x grpc.aio", "p50", "p95", "p99"),
        *("CPU client/server", "failed", "dropped", "wrong", "from cache"),
    )
    yield from _table(title, heads, [_load_row(one, series) for one in series])
    for one in series:
        whose = f"{one.system}, `{CALL[one.form]}`, {one.in_flight} in flight"
        yield from _failures(whose, one.loads)


def _failures(whose: str, loads: Sequence[Load | PacedLoad]) -> Iterator[str]:
    failed = sum((Counter(load.failed) for load in loads), Counter[str]())
    if failed:
        names = ", ".join(f"{count} {name}" for name, count in sorted(failed.items()))
        yield from ("", f"Failed: {whose}: {names}.")


def _load_row(one: Series, series: Sequence[Series]) -> tuple[str, ...]:
    baseline = find(series, BASELINE, in_flight=one.in_flight)
    assert baseline is not None
    loads = one.loads
    ratio = ratios(one.per_s, baseline.per_s)
    return (
        str(one.in_flight),
        one.system if one is baseline else f"{one.system} `{CALL[one.form]}`",
        _figures(spread(one.per_s), "{:,.0f}"),
        "1" if one is baseline else _figures(ratio, "{:.1f}"),
        *(_us(spread([getattr(load.latency, name) for load in loads])) for name in PERCENTILES),
        f"{_total(loads, 'client_cpu_s'):.1f} / {_total(loads, 'server_cpu_s'):.1f} s",
        *(f"{_total(loads, name):,.0f}" for name in ("failed_total", "dropped", "wrong")),
        f"{_total(loads, 'from_cache') / max(1, _total(loads, 'answered')):.0%}",
    )


PERCENTILES = ("p50_us", "p95_us", "p99_us")


def _hits(results: Results) -> Iterator[str]:
    rows = []
    for loads in zip(*results.hit, strict=True):
        ours = [load.portero.p50_us for load in loads]
        plain = [load.plain_dict.p50_us for load in loads]
        rows.append(
            (
                str(loads[0].callers),
                _figures(spread(ours), "{:.2f}"),
                _figures(spread([load.portero.p99_us for load in loads]), "{:.2f}"),
                _figures(spread(plain), "{:.2f}"),
                _figures(ratios(ours, plain), "{:.1f}"),
                str(sum(load.missed for load in loads)),
            )
        )
    heads = ("callers", "hit, us", "p99, us", "plain dict, us", "x plain dict", "missed")
    yield from _table("Hit: awaited, means over 100 calls", heads, rows)


def _revocations(results: Results) -> Iterator[str]:
    rows = []
    for one in results.revocation:
        load = one.load
        figures = [percentile_ms(load.refused_ms, percent) for percent in (50, 99, 100)]
        figures += [percentile_ms(load.last_yes_ms, percent) for percent in (50, 99, 100)]
        rows.append(
            (
                str(one.clients),
                "Auth stopped before, and resumed" if one.is_auth_stopped else "told by the feed",
                str(len(load.refused_ms)),
                *(f"{figure:.1f}" for figure in figures),
                str(load.missed),
            )
        )
    heads = (
        *("clients", "", "refusals", "refused p50, ms", "p99", "max"),
        *("last yes p50, ms", "p99", "max", "missed"),
    )
    yield from _table(
        "Revocation: from its commit to the refusal, and to the last yes", heads, rows
    )


def _scale(results: Results) -> Iterator[str]:
    rows = [
        (
            f"{scale.assignments:,}",
            *(
                _us(spread([getattr(getattr(load, state), name) for load in scale.loads]))
                for state in ("warm", "cold")
                for name in ("p50_us", "p95_us")
            ),
            str(sum(load.wrong for load in scale.loads)),
        )
        for scale in results.scale
    ]
    heads = ("assignments", "warm p50", "warm p95", "cold p50", "cold p95", "wrong")
    yield from _table("Scale: a miss in sequence", heads, rows)
    builds = [
        (
            f"{build.assignments:,}",
            f"{build.took_s:.1f} s",
            "" if build.size_mb is None else f"{build.size_mb:,.0f} MB",
        )
        for build in results.builds
    ]
    yield from _table("Databases", ("assignments", "built in", "size"), builds)


def _tracing(results: Results) -> Iterator[str]:
    if not results.tracing:
        return
    off = results.tracing[0]
    rows = [
        (
            one.tracing,
            _figures(spread(one.per_s), "{:,.0f}"),
            _figures(ratios(one.per_s, off.per_s), "{:.2f}"),
            *(f"{_total(one.loads, name):.1f}" for name in ("client_cpu_s", "server_cpu_s")),
            f"{_total(one.loads, 'failed_total') + _total(one.loads, 'dropped'):,.0f}",
        )
        for one in results.tracing
    ]
    heads = ("tracing", "checks/s", "x off", "client CPU, s", "server CPU, s", "failed or dropped")
    yield from _table(f"Tracing: misses, {off.in_flight} in flight", heads, rows)


def _logins(results: Results) -> Iterator[str]:
    found = results.logins
    if not found:
        return
    without, beside = [one.without for one in found], [one.beside for one in found]
    logins = [one.logins for one in found]
    rows = [
        ("0", "", *_checks(without, without), ""),
        (
            *(str(found[0].in_flight), _figures(spread([one.per_s for one in logins]), "{:.1f}")),
            *_checks(beside, without),
            f"{_total(logins, 'failed_total') + _total(logins, 'dropped'):,.0f}",
        ),
    ]
    heads = (
        *("logins in flight", "logins/s", "checks p50", "x without", "checks p99", "x without"),
        *("failed", "dropped", "wrong", "logins failed or dropped"),
    )
    yield from _table("Logins: what checks at a steady pace notice of them", heads, rows)
    yield from _failures("checks without logins", without)
    yield from _failures("checks beside logins", beside)
    yield from _failures("logins", logins)


def _checks(loads: Sequence[PacedLoad], without: Sequence[PacedLoad]) -> Iterator[str]:
    for name in ("p50_us", "p99_us"):
        figures, theirs = (
            [getattr(load.latency, name) for load in side] for side in (loads, without)
        )
        yield _us(spread(figures))
        yield "1" if loads is without else _figures(ratios(figures, theirs), "{:.2f}")
    yield from (f"{_total(loads, name):,.0f}" for name in ("failed_total", "dropped", "wrong"))


def _table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Nothing for a section that was not run."""
    if not rows:
        return
    yield from ("", f"## {title}", "")
    yield _row(heads)
    yield _row(["---"] * len(heads))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _figures(figure: Spread, form: str) -> str:
    low, high = form.format(figure.low), form.format(figure.high)
    return f"{form.format(figure.median)} ({low}-{high})"


def _us(figure: Spread) -> str:
    """In the unit that suits it."""
    if figure.median >= 1000:
        in_ms = Spread(median=figure.median / 1000, low=figure.low / 1000, high=figure.high / 1000)
        return f"{_figures(in_ms, '{:.2f}')} ms"
    return f"{_figures(figure, '{:.1f}')} us"


def _total(loads: Sequence[Load | PacedLoad], name: str) -> float:
    return float(sum(getattr(load, name) for load in loads))
