"""The feasible architectures of a design space: counted, listed, drawn, without building all.

`FeasibleSet` is what the rest uses. Below it: a `chain` of stages whose costs add up, one `fold`
over it, and what is folded: numbers and sums of costs (`counting`), Pareto fronts and lists
(`frontier`), the least costs (`least`), ways on a grid to draw from (`grid_sampling`).
"""

from space.design.feasible.cost_sums import SpaceTooLarge
from space.design.feasible.feasible_set import TRIES, FeasibleSet

__all__ = ["TRIES", "FeasibleSet", "SpaceTooLarge"]
