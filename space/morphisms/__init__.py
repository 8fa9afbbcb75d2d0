"""Inclusions: trained weights of a special mixer or network lifted into a more general one.

The special function is exactly representable in the general one, so the output does not change
(the relation graph walked from special to general; the idea of Net2Net, Chen et al. 2016).
"""

from space.morphisms.edges import InclusionEdge, inclusion, inclusion_edges, refusal
from space.morphisms.kinds import NETWORK_KINDS, Kind
from space.morphisms.mixers import lift_operator
from space.morphisms.networks import lift, lift_kinds

__all__ = [
    "NETWORK_KINDS",
    "InclusionEdge",
    "Kind",
    "inclusion",
    "inclusion_edges",
    "lift",
    "lift_kinds",
    "lift_operator",
    "refusal",
]
