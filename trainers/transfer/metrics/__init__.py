"""How good detections and segmentations are.

`detection_metrics` has COCO's average precision by pycocotools, `segmentation_metrics` intersection
over union by torchmetrics.
"""
