"""Who judges a model on which data."""

from trainers.transfer.data.transfer_data import DetectionData, SegmentationData, TransferData
from trainers.transfer.metrics.detection_metrics import DetectionMetrics
from trainers.transfer.metrics.segmentation_metrics import SegmentationMetrics


def metrics_for(data: TransferData) -> DetectionMetrics | SegmentationMetrics:
    """A new judge of what a model says of the validation part.

    It has `update(outputs, targets)` for each batch and `compute()` for the figures.

    Raises:
        TypeError: data of another kind.
    """
    if isinstance(data, DetectionData):
        return DetectionMetrics(data.validation_index, data.classes, has_masks=data.has_masks)
    if isinstance(data, SegmentationData):
        return SegmentationMetrics(data.classes)
    raise TypeError(f"nobody judges {type(data).__name__}")
