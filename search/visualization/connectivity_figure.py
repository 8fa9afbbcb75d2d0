"""Where W of a token mixer may be other than zero (paper, Figure 2), as two masks."""

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from search.visualization.frame import AXIS
from search.visualization.plain_text import plain
from search.visualization.theme import LIGHT, MASK_COLOURS
from space.geometry import MapSize
from space.mixer import Mixer
from space.structure.connectivity import BoolArray, connectivity

HEIGHT = 460


def connectivity_figure(
    mixer: Mixer, size: MapSize, width: int, shifted: bool = False
) -> go.Figure:
    """The figure: positions p against q, and channels c against c'; filled where W may be.

    Args:
        mixer: the mixer, with its rank factors.
        size: of the map, height by width.
        width: channels of the map.
        shifted: whether the tiles of a window are moved.
    """
    masks = connectivity(mixer, width, size, shifted, factors=True)
    titles = (
        f"positions of a {size.height}×{size.width} map",
        f"{plain(str(width))} channels",
    )
    made = make_subplots(1, 2, subplot_titles=titles, horizontal_spacing=0.12)
    _mask(made, 1, masks.positions, "position")
    _mask(made, 2, masks.channels, "channel")
    made.update_layout(
        height=HEIGHT,
        margin={"l": 8, "r": 16, "t": 40, "b": 8},
        legend={"orientation": "h", "x": 0, "y": -0.16, "yanchor": "top"},
    )
    _legend(made)
    return made


def _mask(made: go.Figure, column: int, mask: BoolArray, what: str) -> None:
    """Rows are what is computed, columns what is read; both count from 0, row by row of the map."""
    scale = [[0.0, MASK_COLOURS[0]], [1.0, MASK_COLOURS[1]]]
    made.add_heatmap(
        z=mask.astype(np.uint8),
        zmin=0,
        zmax=1,
        colorscale=scale,
        showscale=False,
        xgap=0.5,
        ygap=0.5,
        hovertemplate=f"{what} %{{y}} reads %{{x}}: %{{z}}<extra></extra>",
        row=1,
        col=column,
    )
    edge = {
        "showline": True,
        "mirror": True,
        "linecolor": AXIS,
        "showgrid": False,
        "zeroline": False,
        "constrain": "domain",
        "automargin": True,
    }
    made.update_xaxes(title_text=f"{what} that is read", **edge, row=1, col=column)
    made.update_yaxes(
        title_text=f"{what} that is computed",
        autorange="reversed",
        scaleanchor="x" if column == 1 else "x2",
        **edge,
        row=1,
        col=column,
    )


def _legend(made: go.Figure) -> None:
    for colour, name in zip(MASK_COLOURS, ("W is zero", "W may be other than zero"), strict=True):
        made.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={
                "symbol": "square",
                "size": 12,
                "color": colour,
                "line": {"color": LIGHT.ink, "width": 1},
            },
            name=name,
            row=1,
            col=1,
        )
