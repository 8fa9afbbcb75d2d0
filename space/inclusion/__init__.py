"""Inclusions: which mixer, and which network, is a special case of which other. Without torch.

A special function is exactly representable in a general one: the relation graph walked from special
to general. `space.morphisms` lifts trained weights along these edges.
"""

from space.inclusion.edges import InclusionEdge, inclusion, inclusion_edges, refusal
from space.inclusion.kinds import NETWORK_KINDS, Kind
from space.inclusion.networks import check_frame, inclusion_kinds, kinds_of_lift

__all__ = [
    "NETWORK_KINDS",
    "InclusionEdge",
    "Kind",
    "check_frame",
    "inclusion",
    "inclusion_edges",
    "inclusion_kinds",
    "kinds_of_lift",
    "refusal",
]
