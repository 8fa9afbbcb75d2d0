"""trainers: how a candidate architecture is evaluated.

The `protocol` says how; `data` are what is trained on; a `training` goes epoch by epoch, from its
`initial_weights` by an `optimisation`, and keeps its `training_state` in a `checkpoint`;
`evaluation` scores it. Its `outcome` is results or a failure (`failure_classification`).

Importing it, or `trainers.protocol`, never imports torch: a public name that needs torch, or the
libraries that read images, loads its module when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trainers.data.data_config import DataConfig
from trainers.data.held_out_test import TestReading, TestSplitLocked, lock_test_split
from trainers.failure_classification import classify, classify_death
from trainers.outcome import Cause, EpochResult, Failure, NonFiniteLoss, Retry, UnreadableData
from trainers.protocol import Augmentation, Protocol
from trainers.seeds import Seeds

if TYPE_CHECKING:
    from trainers.data.data_kind import DataShape
    from trainers.data.describe import DataDescription, data_shape, describe_data
    from trainers.data.opening import open_data, open_test_split
    from trainers.data.search_data import SearchData
    from trainers.evaluation import final_test
    from trainers.finetuning import SourceNetwork
    from trainers.initial_weights import ParentNetwork
    from trainers.processes import Processes
    from trainers.recipe_notes import notes_on_recipe
    from trainers.runtime import Runtime
    from trainers.training import Training

__all__ = [
    "Augmentation",
    "Cause",
    "DataConfig",
    "DataDescription",
    "DataShape",
    "EpochResult",
    "Failure",
    "NonFiniteLoss",
    "ParentNetwork",
    "Processes",
    "Protocol",
    "Retry",
    "Runtime",
    "SearchData",
    "Seeds",
    "SourceNetwork",
    "TestReading",
    "TestSplitLocked",
    "Training",
    "UnreadableData",
    "classify",
    "classify_death",
    "data_shape",
    "describe_data",
    "final_test",
    "lock_test_split",
    "notes_on_recipe",
    "open_data",
    "open_test_split",
]

_MODULES = {
    "DataDescription": "trainers.data.describe",
    "DataShape": "trainers.data.data_kind",
    "ParentNetwork": "trainers.initial_weights",
    "Processes": "trainers.processes",
    "Runtime": "trainers.runtime",
    "SourceNetwork": "trainers.finetuning",
    "SearchData": "trainers.data.search_data",
    "Training": "trainers.training",
    "data_shape": "trainers.data.describe",
    "describe_data": "trainers.data.describe",
    "final_test": "trainers.evaluation",
    "notes_on_recipe": "trainers.recipe_notes",
    "open_data": "trainers.data.opening",
    "open_test_split": "trainers.data.opening",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'trainers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
