"""Trained weights of a special mixer or network lifted into a more general one.

Along the inclusions of `space.inclusion` the output does not change (the idea of Net2Net, Chen et
al. 2016).
"""

from space.morphisms.lift_mixer import lift_operator
from space.morphisms.lift_network import lift

__all__ = ["lift", "lift_operator"]
