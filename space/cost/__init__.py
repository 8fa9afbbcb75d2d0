"""What an architecture costs, in closed form, from the architecture alone."""

from space.cost.architecture_cost import cost
from space.cost.tally import Cost

__all__ = ["Cost", "cost"]
