"""Design spaces: which architectures may be built, read from YAML."""

from space.design.decisions import Choose, Decision
from space.design.design_space import DesignSpace
from space.design.limits import Infeasible, Limits, figure_of
from space.design.too_large import TooLarge

__all__ = [
    "Choose",
    "Decision",
    "DesignSpace",
    "Infeasible",
    "Limits",
    "TooLarge",
    "figure_of",
]
