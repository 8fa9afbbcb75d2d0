"""Inclusions: which mixer, and which network, is a special case of which other. Without torch.

A special function is exactly representable in a general one: the relation graph walked from special
to general. `space.morphisms` lifts trained weights along these edges.
"""

from space.inclusion.network_inclusion import check_frame, inclusion_kinds
from space.inclusion.step_kinds import InclusionKind

__all__ = ["InclusionKind", "check_frame", "inclusion_kinds"]
