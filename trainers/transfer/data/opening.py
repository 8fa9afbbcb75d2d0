"""Opens the data of a task: all that is wrong with them is found here, not amid an epoch."""

from collections.abc import Callable, Mapping
from typing import Any, Literal, overload

from trainers.transfer.data.data_config import Task, TransferDataConfig
from trainers.transfer.data.detection_opening import open_detection
from trainers.transfer.data.segmentation_opening import open_segmentation
from trainers.transfer.data.transfer_data import DetectionData, SegmentationData, TransferData

Say = Callable[[str], None]


@overload
def open_data(
    config: TransferDataConfig | Mapping[str, Any],
    task: Literal["detection"],
    *,
    say: Say | None = None,
) -> DetectionData: ...
@overload
def open_data(
    config: TransferDataConfig | Mapping[str, Any],
    task: Literal["segmentation"],
    *,
    say: Say | None = None,
) -> SegmentationData: ...
@overload
def open_data(
    config: TransferDataConfig | Mapping[str, Any], task: Task, *, say: Say | None = None
) -> TransferData: ...
def open_data(
    config: TransferDataConfig | Mapping[str, Any], task: Task, *, say: Say | None = None
) -> TransferData:
    """The data of a configuration, every picture, annotation and mask looked at.

    Args:
        config: or plain values of it.
        task: what the data are to be used for.
        say: told how far it is, where it takes more than a moment.

    Raises:
        InputError: naming all that is missing, wrong or does not fit, by kind and number; what
            `broken: leave_out` or torchvision's references leave out is told in `remarks`.
    """
    if not isinstance(config, TransferDataConfig):
        config = TransferDataConfig.from_dict(config)
    config.refuse_other_tasks(task)
    if task == "detection":
        return open_detection(config, say)
    return open_segmentation(config, say)
