"""The replays as tables of text and as a plot."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from benchmarks.markdown import markdown_table
from benchmarks.replay.record import AIMS, Aim, Record
from benchmarks.replay.summary import Spread, Summary
from space.errors import InputError
from space.wording import count

NAMES: dict[Aim, str] = {
    "accuracy": "regret, points of accuracy",
    "front": "hypervolume lacking, % of the table's",
}


def tables(summaries: Sequence[Summary]) -> str:
    """One table for each aim; the best end first, of equal ones the cheaper way to random's."""
    parts = []
    for aim in AIMS:
        chosen = sorted((each for each in summaries if each.aim == aim), key=_place)
        if chosen:
            parts.append(f"{aim}: {NAMES[aim]}\n\n{_table(chosen)}")
    return "\n\n".join(parts)


def _place(one: Summary) -> tuple[float, float]:
    return one.shortfall.median, one.to_random.median


def _table(chosen: Sequence[Summary]) -> str:
    marks, runs = list(chosen[0].after), max(each.runs for each in chosen)
    header = [
        "method",
        "end: median [95%]",
        "worst",
        "at ¼ cost",
        *(f"after {mark} trials" for mark in marks),
        "cost to random's end",
        "worst",
        "cost to TPE + stopping's",
        "complete + pruned + failed",
        "repeats",
        "ms / proposal (p95)",
    ]
    return markdown_table(header, [_row(each, marks, runs) for each in chosen])


def _row(one: Summary, marks: Sequence[int], runs: int) -> list[str]:
    several = one.runs >= ENOUGH or one.runs == runs
    share = _share if several else lambda of: _percent(of.median)
    trials = "+".join(f"{one.trials.get(kind, 0):.0f}" for kind in ("complete", "pruned", "failed"))
    return [
        one.method if one.runs == runs else f"{one.method} ({count(one.runs, 'run')})",
        _points(one.shortfall) if several else f"{100 * one.shortfall.median:.2f}",
        f"{100 * one.shortfall.worst:.2f}" if several else "–",
        f"{100 * one.quarter.median:.2f}",
        *(f"{100 * one.after[mark].median:.2f}" for mark in marks),
        share(one.to_random),
        _percent(one.to_random.worst) if several else "–",
        share(one.to_tpe) if one.to_tpe else "–",
        trials,
        f"{one.duplicates:.1f}",
        f"{one.milliseconds[0]:.1f} ({one.milliseconds[1]:.1f})",
    ]


ENOUGH = 10
"""With fewer runs neither an interval nor the worst of them says anything."""


def _points(of: Spread) -> str:
    return f"{100 * of.median:.2f} [{100 * of.low:.2f}, {100 * of.high:.2f}]"


def _share(of: Spread) -> str:
    return f"{_percent(of.median)} [{_percent(of.low)}, {_percent(of.high)}]"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%" if np.isfinite(share) else "never"


# The plot


def plot(records: Sequence[Record], evaluations: int) -> go.Figure:
    """Median shortfall over cost and over trials, a line for every method."""
    aims = [aim for aim in AIMS if any(each.aim == aim for each in records)]
    titles = [f"{NAMES[aim]} {over}" for aim in aims for over in ("over cost", "over trials")]
    figure = make_subplots(rows=len(aims), cols=2, subplot_titles=titles)
    methods = list(dict.fromkeys(each.method for each in records))
    named: set[str] = set()
    for row, aim in enumerate(aims, start=1):
        for place, method in enumerate(methods):
            runs = [each for each in records if (each.aim, each.method) == (aim, method)]
            if runs:
                _add_lines(figure, row, place, runs, evaluations, in_legend=method not in named)
                named.add(method)
        figure.update_xaxes(title="share of the budget in training seconds", row=row, col=1)
        figure.update_xaxes(title="trials ended", row=row, col=2)
        figure.update_yaxes(type="log", row=row)
    return figure.update_layout(
        height=520 * len(aims),
        width=1400,
        template="plotly_white",
        legend={"tracegroupgap": 0},  # else the legend of all methods is cut off
    )


def _add_lines(
    figure: go.Figure,
    row: int,
    place: int,
    runs: Sequence[Record],
    evaluations: int,
    *,
    in_legend: bool,
) -> None:
    costs = np.linspace(0.01, 1, 100)
    counts = range(1, evaluations + 1)
    over_cost = [np.median([100 * run.shortfall_at(cost) for run in runs]) for cost in costs]
    over_trials = [np.median([100 * run.shortfall_after(n) for run in runs]) for n in counts]
    for column, (x, y) in enumerate([(costs, over_cost), (list(counts), over_trials)], start=1):
        line = go.Scatter(
            x=x,
            y=np.maximum(y, 0.01),  # the scale is logarithmic
            name=runs[0].method,
            legendgroup=runs[0].method,
            showlegend=in_legend and column == 1,
            line={
                "color": _COLOURS[place % len(_COLOURS)],
                "dash": _DASHES[place // len(_COLOURS)],
            },
        )
        figure.add_trace(line, row=row, col=column)


_COLOURS = ("#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951", "#ff8ab7", "#a463f2", "#97bbf5")
_DASHES = ("solid", "dot", "dash", "longdash", "dashdot", "longdashdot", "solid", "dot")


def check_plot(path: Path) -> None:
    """Refuse a plot that could not be written.

    Raises:
        InputError: it is neither a page nor an image, or its folder is not there.
    """
    if path.suffix not in (".html", ".png"):
        raise InputError.of("plot", f"must end with .html or .png; got {path.name!r}")
    if not path.parent.is_dir():
        raise InputError.of("plot", f"there is no folder {path.parent}")


def write_plot(figure: go.Figure, path: Path) -> None:
    """As a page (.html), or as an image (.png) with a Chromium that playwright finds.

    Raises:
        InputError: as check_plot.
    """
    check_plot(path)
    page = figure.to_html(include_plotlyjs=True)
    if path.suffix == ".html":
        path.write_text(page)
    else:
        path.write_bytes(_photograph(page))


def _photograph(page: str) -> bytes:
    from playwright.sync_api import sync_playwright  # of the tests; only an image needs it

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        view = browser.new_page()
        view.set_content(page)
        picture: bytes = view.locator(".plot-container").screenshot()
        browser.close()
    return picture
