"""Design spaces: which architectures may be built, read from YAML."""

from space.design.cost_table import Costs, CostTable, Memories
from space.design.decisions import Choice, Choose
from space.design.design_space import DesignSpace
from space.design.feasible import SpaceTooLarge
from space.design.hard_limits import METRIC_ALIASES, Infeasible, Limits, canonical_metric

__all__ = [
    "METRIC_ALIASES",
    "Choice",
    "Choose",
    "CostTable",
    "Costs",
    "DesignSpace",
    "Infeasible",
    "Limits",
    "Memories",
    "SpaceTooLarge",
    "canonical_metric",
]
