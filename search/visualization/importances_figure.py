"""The importance of each axis as bars, with what chance alone would give."""

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from search.visualization.frame import figure
from search.visualization.theme import FRONT_COLOUR, LINE_COLOURS

if TYPE_CHECKING:  # who draws without it needs no Optuna
    from search.visualization.axis_importances import AxisImportances

_ROW, _FRAME = 34, 150


def importances_figure(found: "AxisImportances") -> go.Figure:
    """The figure, the most important axis at the top."""
    axes = list(found.shares)[::-1]
    shares = [found.shares[axis] for axis in axes]
    made = figure(_FRAME + _ROW * len(axes))
    made.add_bar(
        x=shares,
        y=axes,
        orientation="h",
        marker={"color": LINE_COLOURS[0]},
        text=[f"{share:.2f}" for share in shares],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
        name="importance",
    )
    made.add_scatter(
        x=[found.chance[axis] for axis in axes],
        y=axes,
        mode="markers",
        marker={
            "symbol": "line-ns-open",
            "size": 20,
            "color": FRONT_COLOUR,
            "line": {"color": FRONT_COLOUR, "width": 3},
        },
        hovertemplate="%{y}: below %{x:.3f} by chance<extra></extra>",
        name="95 % of results dealt out anew stay below",
    )
    highest = max(*shares, *found.chance.values())
    title = "importance (PED-ANOVA; the axes sum to 1)"
    made.update_xaxes(title_text=title, range=(0, 1.12 * highest))
    return made
