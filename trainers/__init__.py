"""trainers: how a candidate architecture is judged.

The package is lazy: importing it, or `trainers.protocol`, never imports torch. A public name loads
its module when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainers.data.config import DataConfig
    from trainers.data.describe import DataDescription, describe_data
    from trainers.data.opening import open_data
    from trainers.data.search_data import SearchData
    from trainers.data.test_split import TestReading, open_test_split
    from trainers.data.test_split_lock import TestSplitLocked, lock_test_split
    from trainers.epoch_result import EpochResult
    from trainers.evaluation import final_test
    from trainers.failures import (
        Cause,
        Failure,
        NonFiniteLoss,
        Retry,
        TrainingStopped,
        UnreadableData,
        classify,
    )
    from trainers.inheritance import Parent
    from trainers.loop import Training
    from trainers.protocol import Augmentation, Protocol
    from trainers.recipe_notes import notes_on_recipe
    from trainers.seeds import Seeds
    from trainers.worker_death import classify_death

__all__ = [
    "Augmentation",
    "Cause",
    "DataConfig",
    "DataDescription",
    "EpochResult",
    "Failure",
    "NonFiniteLoss",
    "Parent",
    "Protocol",
    "Retry",
    "SearchData",
    "Seeds",
    "TestReading",
    "TestSplitLocked",
    "Training",
    "TrainingStopped",
    "UnreadableData",
    "classify",
    "classify_death",
    "describe_data",
    "final_test",
    "lock_test_split",
    "notes_on_recipe",
    "open_data",
    "open_test_split",
]

_MODULES = {
    "Augmentation": "trainers.protocol",
    "Cause": "trainers.failures",
    "DataConfig": "trainers.data.config",
    "DataDescription": "trainers.data.describe",
    "EpochResult": "trainers.epoch_result",
    "Failure": "trainers.failures",
    "NonFiniteLoss": "trainers.failures",
    "Parent": "trainers.inheritance",
    "Protocol": "trainers.protocol",
    "Retry": "trainers.failures",
    "SearchData": "trainers.data.search_data",
    "Seeds": "trainers.seeds",
    "TestReading": "trainers.data.test_split",
    "TestSplitLocked": "trainers.data.test_split_lock",
    "Training": "trainers.loop",
    "TrainingStopped": "trainers.failures",
    "UnreadableData": "trainers.failures",
    "classify": "trainers.failures",
    "classify_death": "trainers.worker_death",
    "describe_data": "trainers.data.describe",
    "final_test": "trainers.evaluation",
    "lock_test_split": "trainers.data.test_split_lock",
    "notes_on_recipe": "trainers.recipe_notes",
    "open_data": "trainers.data.opening",
    "open_test_split": "trainers.data.test_split",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'trainers' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
