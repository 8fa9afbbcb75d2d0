"""Effects of the values of an axis, each with its interval; and of sizes, as a curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from search.effects import MARGIN, Effect, Estimate, interval_in_points
from search.visualization.frame import AXIS, figure
from search.visualization.theme import LINE_COLOURS, LINE_SYMBOLS
from space.wording import count

_ROW, _FRAME, _HEIGHT = 44, 140, 420
_BAND = "rgba(128, 140, 155, 0.16)"
_POINTS = "points of validation accuracy"


def effects_figure(effects: Sequence[Effect]) -> go.Figure:
    """A row for each move from one value to another, the first at the top.

    Beside the mark over all contexts stand open ones for each type of block, where the effect
    turns with it.
    """
    made = figure(_FRAME + _ROW * len(effects))
    made.add_vrect(x0=-100 * MARGIN, x1=100 * MARGIN, fillcolor=_BAND, line_width=0, layer="below")
    made.add_vline(x=0, line={"color": AXIS, "width": 1})
    rows = effects[::-1]
    names = [_step(each) for each in rows]
    _add_marks(made, "all contexts", names, [each.accuracy for each in rows], rows, 0, "h")
    for place, block in enumerate(_blocks(rows), start=1):
        turning = [each for each in rows if block in each.by_block_type and each.turns]
        within = [each.by_block_type[block] for each in turning]
        _add_marks(made, f"in {block}", [_step(each) for each in turning], within, turning, place)
    made.update_yaxes(categoryorder="array", categoryarray=names)
    made.update_xaxes(title_text=f"{_POINTS}, with 95 %", zeroline=False)
    return made


@dataclass(frozen=True, slots=True)
class SizesCurve:
    """A curve over sizes, and the size that it is told against."""

    figure: go.Figure
    reference: int


def sizes_figure(effects: Sequence[Effect]) -> SizesCurve:
    """What each size does against the smallest that has a twin, and in each type of block.

    Nothing is added up over steps: each point is of pairs of networks with that size and with the
    smallest.

    Args:
        effects: of moves from one size to a larger one, at least one.
    """
    reference = min(int(each.move.source) for each in effects)
    rows = sorted(
        (each for each in effects if int(each.move.source) == reference),
        key=lambda each: int(each.move.target),
    )
    made = figure(_HEIGHT)
    made.add_hrect(y0=-100 * MARGIN, y1=100 * MARGIN, fillcolor=_BAND, line_width=0, layer="below")
    made.add_scatter(
        x=[reference],
        y=[0.0],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={"symbol": "line-ew-open", "size": 14, "color": AXIS},
    )
    sizes = [int(each.move.target) for each in rows]
    _add_marks(made, "all contexts", sizes, [each.accuracy for each in rows], rows, 0, "v")
    for place, block in enumerate(_blocks(rows), start=1):
        turning = [each for each in rows if block in each.by_block_type and each.turns]
        within = [each.by_block_type[block] for each in turning]
        ends = [int(each.move.target) for each in turning]
        _add_marks(made, f"in {block}", ends, within, turning, place, "v")
    title = rows[0].move.what
    made.update_xaxes(title_text=title, tickvals=[reference, *sizes])
    made.update_yaxes(title_text=f"{_POINTS} against {title} {reference}")
    return SizesCurve(made, reference)


def _add_marks(
    made: go.Figure,
    name: str,
    places: Sequence[str | int],
    estimates: Sequence[Estimate],
    effects: Sequence[Effect],
    number: int,
    along: str = "h",
) -> None:
    """Marks with their intervals; the first ones are filled, and joined where they are a curve."""
    if not places:
        return
    heights = [100 * each.mean for each in estimates]
    bars: dict[str, Any] = {
        "type": "data",
        "symmetric": False,
        "array": [_reach(each.high - each.mean) for each in estimates],
        "arrayminus": [_reach(each.mean - each.low) for each in estimates],
        "thickness": 1.5,
    }
    across, up = (heights, places) if along == "h" else (places, heights)
    symbol = LINE_SYMBOLS[number % len(LINE_SYMBOLS)]
    made.add_scatter(
        x=list(across),
        y=list(up),
        **{"error_x" if along == "h" else "error_y": bars},
        mode="lines+markers" if along == "v" else "markers",
        line={"width": 1.5, "dash": "solid" if number == 0 else "dot"},
        marker={
            "size": 11 if number == 0 else 9,
            "symbol": symbol if number == 0 else f"{symbol}-open",
            "color": LINE_COLOURS[number % len(LINE_COLOURS)],
        },
        customdata=[_told(each, one) for each, one in zip(estimates, effects, strict=True)],
        hovertemplate="%{customdata[0]}<br>%{customdata[1]} points %{customdata[2]}<br>"
        "%{customdata[3]}<extra>" + name + "</extra>",
        name=name,
    )


def _told(estimate: Estimate, effect: Effect) -> list[str]:
    whole = f"{count(estimate.contexts, 'context')}, {effect.pairs:,} pairs: {effect.verdict}"
    return [effect.move.name, f"{100 * estimate.mean:+.2f}", interval_in_points(estimate), whole]


def _step(effect: Effect) -> str:
    return f"{effect.move.source} → {effect.move.target}"


def _blocks(effects: Sequence[Effect]) -> list[str]:
    """The types of block in which some effect is another than in the rest."""
    turning = [each for each in effects if each.turns]
    return list(dict.fromkeys(name for each in turning for name in each.by_block_type))


def _reach(difference: float) -> float:
    """Half a bar; none where nothing is known of the interval."""
    return 0.0 if math.isnan(difference) else 100 * difference
