"""Detection and segmentation with a network of the space as their backbone.

`recipe` says how; a `source` is the network, which becomes a `backbone` under a `model`: that of
`detection` (with the `cascade`) or `segmentation`. `data` are what it is trained on, `training`
goes step by step, `metrics` judge it, and `transferring` is all of it, with a `result` that is
written down.

Importing it never imports torch: a public name that needs torch loads its module when it is first
asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trainers.transfer.recipe import DetectionRecipe, Recipe, SegmentationRecipe, read_recipe

if TYPE_CHECKING:
    from trainers.transfer.backbone import Backbone
    from trainers.transfer.model import make_model
    from trainers.transfer.result import load_transferred
    from trainers.transfer.source import BackboneSource
    from trainers.transfer.transferring import Transfer, TransferFailed, run_transfer

__all__ = [
    "Backbone",
    "BackboneSource",
    "DetectionRecipe",
    "Recipe",
    "SegmentationRecipe",
    "Transfer",
    "TransferFailed",
    "load_transferred",
    "make_model",
    "read_recipe",
    "run_transfer",
]

_MODULES = {
    "Backbone": "trainers.transfer.backbone",
    "BackboneSource": "trainers.transfer.source",
    "Transfer": "trainers.transfer.transferring",
    "TransferFailed": "trainers.transfer.transferring",
    "load_transferred": "trainers.transfer.result",
    "make_model": "trainers.transfer.model",
    "run_transfer": "trainers.transfer.transferring",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'trainers.transfer' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
