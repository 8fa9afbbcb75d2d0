"""Pictures with boxes and masks, to train on and to be judged by.

`data_config` is what a person writes, `changes` how training pictures are changed; `opening` makes
a `TransferData` of it, whose files `coco_layout` or `segmentation_layout` find. `coco_file` reads a
file of annotations, which `coco_checks` goes through by one, and `index_masks` read masks whose
pixels are class numbers; `findings` counts what is wrong. What a training sees are the samples of
`detection_samples` and `segmentation_samples`, in the batches of `batches`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from trainers.transfer.data.changes import DetectionChanges, SegmentationChanges
from trainers.transfer.data.data_config import Task, TransferDataConfig

if TYPE_CHECKING:
    from trainers.transfer.data.opening import open_data
    from trainers.transfer.data.transfer_data import TransferData

__all__ = [
    "DetectionChanges",
    "SegmentationChanges",
    "Task",
    "TransferData",
    "TransferDataConfig",
    "open_data",
]

_MODULES = {
    "TransferData": "trainers.transfer.data.transfer_data",
    "open_data": "trainers.transfer.data.opening",
}


def __getattr__(name: str) -> object:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'trainers.transfer.data' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
