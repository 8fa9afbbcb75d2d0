"""Networks: an architecture as a torch module."""

from space.networks.network import Network, build

__all__ = ["Network", "build"]
