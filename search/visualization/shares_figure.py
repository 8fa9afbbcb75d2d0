"""The share of accuracies' variance that each axis explains, as bars with their intervals."""

import math

import plotly.graph_objects as go

from search.effects import AxisShares
from search.visualization.frame import figure
from search.visualization.theme import FRONT_COLOUR, LINE_COLOURS

_ROW, _FRAME = 34, 150


def shares_figure(shares: AxisShares) -> go.Figure | None:
    """The figure, the most important axis at the top; None where no share can be told.

    What an axis explains alone is a mark beside its bar, also where its own share cannot be told.
    """
    rows = [each for each in (*shares.axes, *shares.together) if not math.isnan(each.alone)][::-1]
    told = [each for each in rows if not math.isnan(each.share)]
    if not told:
        return None
    made = figure(_FRAME + _ROW * len(rows))
    made.add_bar(
        x=[100 * each.share for each in told],
        y=[each.axis for each in told],
        orientation="h",
        marker={"color": LINE_COLOURS[0]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [100 * (each.high - each.share) for each in told],
            "arrayminus": [100 * (each.share - each.low) for each in told],
            "color": "#888888",
        },
        customdata=[[100 * each.low, 100 * each.high, each.verdict] for each in told],
        hovertemplate="%{y}: %{x:.1f} % [%{customdata[0]:.1f}, %{customdata[1]:.1f}]<br>"
        "%{customdata[2]}<extra></extra>",
        name="beyond all other axes, with 95 %",
    )
    made.add_scatter(
        x=[100 * each.alone for each in rows],
        y=[each.axis for each in rows],
        mode="markers",
        marker={"symbol": "diamond-open", "size": 10, "color": FRONT_COLOUR},
        hovertemplate="%{y}: %{x:.1f} % with all that comes with it<extra></extra>",
        name="alone, with all that comes with it",
    )
    made.update_yaxes(categoryorder="array", categoryarray=[each.axis for each in rows])
    highest = max(*(each.high for each in told), *(each.alone for each in rows))
    title = "% of the variance of accuracies"
    made.update_xaxes(title_text=title, range=(0, 105 * highest + 0.1))
    return made
