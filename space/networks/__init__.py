"""Networks: an architecture as a torch module.

`blocks` has the residual blocks, `stem_and_head` what stands around the stages, `network` builds
all of it, `initialisation` draws the first weights.
"""

from space.networks.network import Network, build

__all__ = ["Network", "build"]
