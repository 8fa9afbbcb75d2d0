"""Published networks as points of the space, for use and for comparison.

Importing this module registers them with timm as `mixspace_<name>`, and `mixspace_network` for any
other architecture.
"""

from space.published import ENTRIES, ZooEntry
from space.zoo import timm_architecture as _timm_architecture  # noqa: F401  (registers the models)
from space.zoo.create import create, entry, load_authors_weights

__all__ = ["ENTRIES", "ZooEntry", "create", "entry", "load_authors_weights"]
