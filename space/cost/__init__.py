"""What an architecture costs, in closed form, from the architecture alone.

`cost` gives parameters and multiply-accumulates, `memory` the bytes of its activations,
`paper_macs` the count of the paper's authors. `space.design.CostTable` gives the first two for
many architectures of a design space at once.
"""

from space.cost.network_cost import Cost, cost
from space.cost.network_memory import Memory, memory
from space.cost.paper_counter import paper_macs

__all__ = ["Cost", "Memory", "cost", "memory", "paper_macs"]
