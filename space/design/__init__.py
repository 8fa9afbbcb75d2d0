"""Design spaces: which architectures may be built, read from YAML."""

from space.design.decisions import Choice, Choose
from space.design.design_space import DesignSpace
from space.design.limits import FIGURE_ALIASES, Infeasible, Limits, figure_of
from space.design.too_large import TooLarge

__all__ = [
    "FIGURE_ALIASES",
    "Choice",
    "Choose",
    "DesignSpace",
    "Infeasible",
    "Limits",
    "TooLarge",
    "figure_of",
]
