"""Colours, and what charts and tables call the metrics.

The kinds of operators have the colours of the paper's figure (blue, green and cyan), in tones that
keep apart for colour-blind eyes and read on a light and on a dark page.
"""

from dataclasses import dataclass

from search.query import Objective
from search.store import MixerRecord, TrialState
from space.custom import UNDECLARED
from space.mixer_types import MixerType
from space.relation_graph import EdgeKind
from space.source_registry import SOURCES


@dataclass(frozen=True, slots=True)
class Theme:
    """What a figure takes over from the page that it stands on.

    Attributes:
        ink: the colour of text.
        veil: the page's background, half see-through: behind text that may lie over points.
    """

    ink: str
    veil: str


LIGHT = Theme("#0f1720", "rgba(255, 255, 255, 0.7)")
DARK = Theme("#e6ebf0", "rgba(18, 23, 29, 0.7)")

DENSE = "dense"
"""The kind of an operator that is neither sparse, low rank nor dynamic: MLP."""

KIND_COLOURS: dict[str, str] = {
    DENSE: "#8b96a3",
    EdgeKind.SPARSE: "#3f6fb5",
    EdgeKind.LOW_RANK: "#23804a",
    EdgeKind.DYNAMIC: "#0f7d9c",
}
"""White words can be read on all but the first."""

STATE_COLOURS: dict[TrialState, str] = {
    TrialState.COMPLETE: "#6a62b8",
    TrialState.PRUNED: "#d39a2d",
    TrialState.RUNNING: "#e2703a",
    TrialState.WAITING: "#a3adb8",
    TrialState.PREEMPTED: "#8c8a3e",
    TrialState.INFEASIBLE: "#b0569a",
    TrialState.FAILED: "#cf4553",
}

STATE_SYMBOLS: dict[TrialState, str] = dict.fromkeys(TrialState, "circle") | {
    TrialState.PRUNED: "triangle-down-open"
}
"""What was stopped early is told apart without its colour too."""

FRONT_COLOUR = "#d1495b"
"""The Pareto front, and the best so far."""

BREAKING_COLOUR = "#8b96a3"
"""What breaks a constraint of its study."""

RANDOM_COLOUR = "#7a8794"
"""Random search beside a searcher."""

MASK_COLOURS = ("#ffffff", "#1f3b57")
"""Of a mask: where it is false, and where it is true."""

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

LINE_SYMBOLS = ("circle", "square", "diamond", "cross", "x", "triangle-up", "star")
"""On such lines; their number has no divisor in common with that of the colours."""


def kind_of(mixer: MixerType | MixerRecord) -> str:
    """What an operator adds over the dense one, the rarest first."""
    if mixer.dynamics != UNDECLARED:
        source = SOURCES.get(mixer.dynamics)
        if source is None or source.dynamic:  # None: what an earlier or later version knows
            return EdgeKind.DYNAMIC
    if mixer.rank not in ("full", UNDECLARED):
        return EdgeKind.LOW_RANK
    is_dense = mixer.locality == "global" and mixer.channels == "dense"
    return DENSE if is_dense else EdgeKind.SPARSE


def translucent(colour: str, opacity: float) -> str:
    """A colour "#rrggbb" as CSS rgba with this opacity (0 to 1)."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


METRIC_NAMES = {
    "latency": "latency in ms",
    "validation_accuracy": "accuracy",
    "validation_loss": "loss",
    "params": "params",
    "macs": "FLOPs",
    "training_bytes": "training bytes",
    "inference_bytes": "inference bytes",
}
"""In tables, controls and sentences."""

COST_TITLES = {
    "params": "parameters",
    "macs": "FLOPs (multiply-accumulates for one image)",
    "training_bytes": "bytes of activations in training (one image)",
    "inference_bytes": "bytes of activations in inference (one image)",
}
"""On axes, of what follows from the architecture alone."""


def axis_title(objective: Objective) -> str:
    """An objective on an axis, with the direction that is wanted."""
    named = COST_TITLES.get(objective.name) or objective.name.replace("_", " ")
    named += " in ms" if objective.name == "latency" else ""
    better = "higher" if objective.direction == "maximise" else "lower"
    return f"{named}, {better} is better"


def arrow(objective: Objective) -> str:
    """The direction that is wanted, for the head of a column."""
    return "↑" if objective.direction == "maximise" else "↓"
