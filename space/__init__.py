"""mixspace.space: what can be built. The algebra of token mixers, networks of them, their costs.

`import space` does not import torch. What needs torch is imported by name: `space.operators`,
`space.networks`, `space.reference`.
"""

from space.architecture import SCAFFOLDS, Architecture, Head, Input, Stage, Stem
from space.cells import Cell, all_cells, cell_named
from space.cost import Cost, cost
from space.design import DesignSpace, Infeasible
from space.errors import InputError, Problem
from space.mixer import Mixer

__all__ = [
    "SCAFFOLDS",
    "Architecture",
    "Cell",
    "Cost",
    "DesignSpace",
    "Head",
    "Infeasible",
    "Input",
    "InputError",
    "Mixer",
    "Problem",
    "Stage",
    "Stem",
    "all_cells",
    "cell_named",
    "cost",
]
