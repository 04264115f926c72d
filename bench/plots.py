"""The plots of a run: PNG for the eye, SVG for the page; the same figures draw the same bytes."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from bench.goals import REVOCATION_P99_MS as GOAL_MS
from bench.results import BASELINE, Results, Series
from bench.statistics import spread

__all__ = ["draw"]

STYLE = {
    "svg.hashsalt": "portero",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "grid.color": "#dddddd",
    "figure.facecolor": "white",
    "legend.frameon": False,
}
# Colour-blind safe (Okabe and Ito).
GREY, BLUE, ORANGE, GREEN = "#666666", "#0072b2", "#d55e00", "#009e73"


def draw(results: Results, folder: Path, *, prefix: str) -> list[str]:
    """Writes `prefix`-NAME.png and .svg, and gives the names of the SVGs."""
    names = []
    with mpl.rc_context(STYLE):  # type: ignore[arg-type] # the stubs know single names only
        for name, figure in _figures(results):
            figure.savefig(folder / f"{prefix}-{name}.png", dpi=150)
            # Without the date, which would be another one each time.
            figure.savefig(folder / f"{prefix}-{name}.svg", metadata={"Date": None})
            names.append(f"{prefix}-{name}.svg")
    return names


def _figures(results: Results) -> Iterator[tuple[str, Figure]]:
    if results.miss:
        yield "throughput", _throughput(results.miss)
        yield "latency", _latency(results.miss)
    if any(not one.is_auth_stopped for one in results.revocation):
        yield "revocation", _revocation(results)


def _new(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.set_title(title)
    axes.set_axisbelow(True)
    return figure, axes


def _throughput(miss: list[Series]) -> Figure:
    figure, axes = _new("Checks per second, every one over the wire")
    ends: list[tuple[float, int, str]] = []
    for label, colour, marker, line in _lines(miss):
        spreads = [spread(one.per_s) for one in line]
        medians = [each.median for each in spreads]
        axes.errorbar(
            [one.in_flight for one in line],
            medians,
            yerr=[
                [each.median - each.low for each in spreads],
                [each.high - each.median for each in spreads],
            ],
            label=label,
            color=colour,
            marker=marker,
            capsize=3,
        )
        ends.append((medians[-1], line[-1].in_flight, colour))
    _tell_apart(axes, ends)
    _in_flight_axis(axes, miss)
    axes.set_yscale("log")
    axes.set_ylabel("checks per second")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.legend(loc="upper left")
    return figure


def _tell_apart(axes: Axes, ends: list[tuple[float, int, str]]) -> None:
    """Writes the figure beside the end of each line, the highest a little higher still."""
    for (height, in_flight, colour), shift in zip(sorted(ends), (0, -7, 7), strict=True):
        axes.annotate(
            f"{height:,.0f}/s",
            (in_flight, height),
            xytext=(9, shift),
            textcoords="offset points",
            va="center",
            color=colour,
        )


def _latency(miss: list[Series]) -> Figure:
    figure, axes = _new("How long a call takes: p50 (line) and p99 (dashes)")
    for label, colour, marker, line in _lines(miss):
        in_flight = [one.in_flight for one in line]
        for name, style in (("p50_us", "-"), ("p99_us", "--")):
            axes.plot(
                in_flight,
                [
                    spread([getattr(load.latency, name) / 1000 for load in one.loads]).median
                    for one in line
                ],
                label=label if style == "-" else None,
                color=colour,
                linestyle=style,
                marker=marker,
                markersize=5,
            )
    _in_flight_axis(axes, miss)
    axes.set_yscale("log")
    axes.set_ylabel("milliseconds")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.legend(loc="upper left")
    return figure


def _lines(miss: list[Series]) -> Iterator[tuple[str, str, str, list[Series]]]:
    """(label, colour, marker, series by their number in flight)."""
    yield (
        f"{BASELINE}, one call a check",
        GREY,
        "o",
        [one for one in miss if one.system == BASELINE],
    )
    ours = [one for one in miss if one.system != BASELINE]
    yield "Portero, validate_local", BLUE, "s", [one for one in ours if one.form == "each"]
    yield "Portero, validate_locals", ORANGE, "^", [one for one in ours if one.form == "set"]


def _in_flight_axis(axes: Axes, miss: list[Series]) -> None:
    in_flight = sorted({one.in_flight for one in miss})
    axes.set_xscale("log", base=2)
    axes.set_xticks(in_flight, [f"{number:,}" for number in in_flight])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("questions in flight")
    # Room for what is written beside the last point.
    axes.set_xlim(in_flight[0] / 1.3, in_flight[-1] * 3)


def _revocation(results: Results) -> Figure:
    figure, axes = _new("A revoked access is refused")
    told = [one for one in results.revocation if not one.is_auth_stopped]
    for one, colour in zip(told, (GREEN, ORANGE, BLUE), strict=False):
        axes.ecdf(
            one.load.refused_ms,
            label=f"{one.clients} client{'s' if one.clients > 1 else ''}",
            color=colour,
            linewidth=1.8,
        )
    most = max(told, key=lambda one: one.clients)
    axes.ecdf(
        most.load.last_yes_ms,
        label=f"{most.clients} clients, last yes",
        color=GREY,
        linestyle="--",
        linewidth=1.2,
    )
    axes.axvline(GOAL_MS, color=GREY, linestyle=":", linewidth=1.2, label=f"goal: {GOAL_MS:g} ms")
    axes.set_xlim(0, max(axes.get_xlim()[1], GOAL_MS * 1.2))
    axes.set_xlabel("milliseconds since the revocation was committed")
    axes.set_ylabel("share of clients that refuse")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    axes.legend(loc="lower right")
    return figure
