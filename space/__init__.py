"""space: what can be built. The algebra of token mixers, networks of them, their costs.

The paper's algebra: `axes` and `rules` of its `mixer_types`, a `mixer` with its sizes, the
`relation_graph` (Figure 1), the `structure` of W (Figure 2, Table 1), and its definition,
`reference`. Mixers that compute the same have one `canonical` form. What does not fit into it is
registered by name (`custom`) and used like the rest.

On torch: `operators` are the fast mixers (weights, attention, convolution, windows, low rank),
`networks` put them into blocks, the `zoo` has the `published` ones; `morphisms` lift trained
weights along the `inclusion` of one in another.

What a search needs: an `architecture` as a value, the `design` space that holds it, and its `cost`.
`input` reads what people write, `cli` is the command line.

`import space` does not import torch. What needs torch is imported by name: `space.operators`,
`space.networks`, `space.reference`. Nor does it import NumPy: a design space does, when it is first
asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from space.architecture import BLOCK_TYPES, Architecture, Head, Input, Stage, Stem
from space.cost import Cost, cost
from space.custom import CustomMixer, register_mixer
from space.errors import InputError, MixspaceError, Problem
from space.geometry import MapSize
from space.mixer import Mixer
from space.mixer_types import MixerType, all_mixer_types, mixer_type_named
from space.relation_graph import RelationGraph

if TYPE_CHECKING:
    from space.design import DesignSpace, Infeasible

__all__ = [
    "BLOCK_TYPES",
    "Architecture",
    "Cost",
    "CustomMixer",
    "DesignSpace",
    "Head",
    "Infeasible",
    "Input",
    "InputError",
    "MapSize",
    "Mixer",
    "MixerType",
    "MixspaceError",
    "Problem",
    "RelationGraph",
    "Stage",
    "Stem",
    "all_mixer_types",
    "cost",
    "mixer_type_named",
    "register_mixer",
]


def __getattr__(name: str) -> object:
    if name == "design":
        return import_module("space.design")
    if name in ("DesignSpace", "Infeasible"):
        return getattr(import_module("space.design"), name)
    raise AttributeError(f"module 'space' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
