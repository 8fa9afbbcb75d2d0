"""Published networks as points of the space, for use and for comparison.

Importing this module registers them with timm as `mixspace_<name>`.
"""

from space.published import ENTRIES, ZooEntry
from space.zoo import timm_models as _timm_models  # noqa: F401  (registers the models)
from space.zoo.create import create, entry, load_authors_weights

__all__ = ["ENTRIES", "ZooEntry", "create", "entry", "load_authors_weights"]
