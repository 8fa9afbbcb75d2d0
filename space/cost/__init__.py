"""What an architecture costs, in closed form, from the architecture alone.

`cost` gives parameters and multiply-accumulates, `memory` the bytes of its activations,
`paper_macs` the count of the paper's authors; `CostTable` gives the first two for many
architectures of a design space at once.
"""

from space.cost.activations import Memory, memory
from space.cost.architecture_cost import cost
from space.cost.paper_counter import paper_macs
from space.cost.table import Costs, CostTable, Memories
from space.cost.tally import Cost

__all__ = ["Cost", "CostTable", "Costs", "Memories", "Memory", "cost", "memory", "paper_macs"]
