"""Colours: of what an operator adds over the dense one, and of the states of trials.

The kinds have the colours of the paper's figure (blue, green and cyan), in tones that keep apart
for colour-blind eyes and read on a light and on a dark page.
"""

from search.store import TrialState
from space.cells import Cell
from space.relation_graph import EdgeKind

DENSE = "dense"
"""The kind of an operator that is neither sparse, low rank nor dynamic: MLP."""

KIND_COLOURS: dict[str, str] = {
    DENSE: "#8b96a3",
    EdgeKind.SPARSE: "#3f6fb5",
    EdgeKind.LOW_RANK: "#27884f",
    EdgeKind.DYNAMIC: "#128aab",
}

STATE_COLOURS: dict[TrialState, str] = {
    TrialState.COMPLETE: "#6a62b8",
    TrialState.PRUNED: "#d39a2d",
    TrialState.RUNNING: "#e2703a",
    TrialState.WAITING: "#a3adb8",
    TrialState.PREEMPTED: "#8c8a3e",
    TrialState.INFEASIBLE: "#b0569a",
    TrialState.FAILED: "#cf4553",
}

FRONT_COLOUR = "#d1495b"
"""The Pareto front, and the best so far."""

BREAKING_COLOUR = "#8b96a3"
"""What breaks a constraint of its study."""

LINE_COLOURS = (
    "#3f6fb5",
    "#e2703a",
    "#2c9a5b",
    "#b0569a",
    "#1fa9c9",
    "#d39a2d",
    "#6a62b8",
    "#cf4553",
    "#8c8a3e",
    "#8b96a3",
)
"""One after the other for lines that differ in nothing but who they are."""


def kind_of(locality: str, channels: str, rank: str, dynamics: str) -> str:
    """What an operator with these axis values adds over the dense one, the rarest first."""
    if dynamics != "static":
        return EdgeKind.DYNAMIC
    if rank != "full":
        return EdgeKind.LOW_RANK
    return DENSE if locality == "global" and channels == "dense" else EdgeKind.SPARSE


def kind_of_cell(cell: Cell) -> str:
    """What a cell adds over the dense one."""
    return kind_of(cell.locality, cell.channels, cell.rank, cell.dynamics)


def translucent(colour: str, opacity: float) -> str:
    """A colour "#rrggbb" as CSS rgba with this opacity (0 to 1)."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"
