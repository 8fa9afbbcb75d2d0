"""The figures of a network and of a token mixer, as a paper may take them."""

import plotly.graph_objects as go

from search.visualization.connectivity_figure import connectivity_figure
from search.visualization.paper import finished
from search.visualization.stages_figure import mixer_records, stages_figure
from space import Architecture, Mixer
from space.errors import Problem, refuse
from space.geometry import MapSize, fitting_width, width_problems
from space.wording import short


def plot_architecture(architecture: Architecture) -> go.Figure:
    """A network from left to right: image, stem, stages with their blocks and costs, head."""
    spent = architecture.cost()
    image = architecture.input
    size = f"{image.channels}×{image.height}×{image.width}"
    note = (
        f"{architecture.id} · {architecture.block_type} blocks · {short(spent.params)} params · "
        f"{short(spent.macs)} FLOPs (multiply-accumulates for one {size} image)"
    )
    made = stages_figure(architecture, mixer_records(architecture), costs=True)
    return finished(made, architecture.name, note)


def plot_connectivity(
    mixer: Mixer,
    *,
    size: tuple[int, int] = (6, 6),
    width: int | None = None,
    shifted: bool = False,
) -> go.Figure:
    """Which positions and which channels of a small map read each other (paper, Figure 2).

    Args:
        mixer: the token mixer; its rank factors count.
        size: of the map, height and width, at most 16×16.
        width: channels, at most 256; None takes the least from 8 on that the mixer is possible at.
        shifted: whether the tiles of a window are moved, as in every second block.

    Raises:
        InputError: a size or a width that cannot be.
    """
    channels = fitting_width(mixer, 8) if width is None else width
    _refuse_sizes(size, channels)
    refuse(width_problems(mixer, channels))
    made = connectivity_figure(mixer, MapSize(*size), channels, shifted)
    moved = ", tiles moved" if shifted else ""
    note = f"{mixer.label}{moved}; W[p, q, c, c'] may be other than zero where both masks are dark"
    return finished(made, f"Connectivity of {mixer.name}", note)


def _refuse_sizes(size: tuple[int, int], width: object) -> None:
    problems = []
    if len(size) != 2 or any(type(edge) is not int or not 1 <= edge <= 16 for edge in size):
        problems.append(Problem("size", f"{size!r} is not allowed; two edges of 1 to 16"))
    if type(width) is not int or not 1 <= width <= 256:
        problems.append(Problem("width", f"{width!r} is not allowed; must be 1 to 256"))
    refuse(problems)
