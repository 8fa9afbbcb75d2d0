"""Memory of activations, by following the tensors through a mirror of the modules."""

from space.cost.activations.memory import Memory
from space.cost.activations.network import memory

__all__ = ["Memory", "memory"]
