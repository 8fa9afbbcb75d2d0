"""What makes a figure stand alone, as in a paper: a title, what it stands on, plain colours."""

import plotly.graph_objects as go

from search.visualization.plain_text import plain
from search.visualization.theme import LIGHT

_TITLE = 66
"""Pixels that the title and the line below it take."""


def finished(made: go.Figure, title: str, note: str) -> go.Figure:
    """The figure with its title, on white.

    Args:
        made: the figure, which is changed.
        title: what is shown; text, and none of it markup.
        note: what it stands on; likewise.
    """
    legend = made.layout.legend
    above = bool(made.layout.showlegend) and legend.orientation == "h"
    if above:  # of several lines it would cover the note
        legend.update(yref="container", y=0, yanchor="bottom")
    height = made.layout.height
    margin = 16 if above else made.layout.margin.t or 0
    made.update_layout(
        template="plotly_white",
        font={"family": "Helvetica, Arial, sans-serif", "size": 13, "color": LIGHT.ink},
        title={
            "text": plain(title),
            "subtitle": {"text": plain(note), "font": {"size": 12}},
            "x": 0,
            "xref": "container",
            "pad": {"l": 12},
            "y": 1 - 22 / (height + _TITLE),
            "yref": "container",
            "yanchor": "middle",
        },
        height=height + _TITLE,
        margin={"t": margin + _TITLE, "l": 16, "r": 24, "b": made.layout.margin.b},
        paper_bgcolor="white",
        plot_bgcolor="white",
    )
    return made
