"""What the dashboard calls the figures that a study may want."""

from search.query import Objective

NAMES = {
    "validation_accuracy": "accuracy",
    "validation_loss": "loss",
    "params": "params",
    "macs": "FLOPs",
    "training_bytes": "training bytes",
    "inference_bytes": "inference bytes",
}
"""In tables, controls and sentences."""

COSTS = {
    "params": "parameters",
    "macs": "FLOPs (multiply-accumulates for one image)",
    "training_bytes": "bytes of activations in training (one image)",
    "inference_bytes": "bytes of activations in inference (one image)",
}
"""On axes, of what follows from the architecture alone."""


def axis_title(objective: Objective) -> str:
    """An objective on an axis, with the direction that is wanted."""
    named = COSTS.get(objective.name) or objective.name.replace("_", " ")
    better = "higher" if objective.direction == "maximise" else "lower"
    return f"{named}, {better} is better"


def arrow(objective: Objective) -> str:
    """The direction that is wanted, for the head of a column."""
    return "↑" if objective.direction == "maximise" else "↓"
