"""Mask R-CNN and Cascade Mask R-CNN of torchvision's parts, over any backbone."""

import math
from collections import OrderedDict
from functools import partial
from typing import Any

from torch import Tensor, nn

from space.errors import InputError
from trainers.transfer.backbone import Backbone
from trainers.transfer.recipe import DetectionRecipe
from trainers.transfer.torchvision_operators import prepare_detection

prepare_detection()  # its operators may be missing on a CPU build

from torchvision.models.detection import MaskRCNN  # noqa: E402
from torchvision.models.detection.anchor_utils import AnchorGenerator  # noqa: E402
from torchvision.models.detection.faster_rcnn import (  # noqa: E402
    FastRCNNConvFCHead,
    FastRCNNPredictor,
    TwoMLPHead,
)
from torchvision.models.detection.mask_rcnn import MaskRCNNHeads, MaskRCNNPredictor  # noqa: E402
from torchvision.models.detection.rpn import RPNHead  # noqa: E402
from torchvision.ops import FeaturePyramidNetwork, MultiScaleRoIAlign  # noqa: E402
from torchvision.ops.feature_pyramid_network import LastLevelMaxPool  # noqa: E402
from torchvision.ops.poolers import initLevelMapper  # noqa: E402

from trainers.transfer.cascade import (  # noqa: E402
    CascadeRoIHeads,
    CascadeStage,
    ClassAgnosticPredictor,
    box_weights,
)

_ASPECTS = (0.5, 1.0, 2.0)
_BOX, _MASK = 7, 14
"""Edges of what is pooled at a box, for box heads and for mask heads."""
_CANONICAL = 28.0
"""Edge of the boxes that are pooled at level 4, in anchor scales: 224 pixels for 8, as in FPN."""


class PyramidBackbone(nn.Module):
    """A backbone with torchvision's feature pyramid over it, and one level more than it has stages.

    Args:
        body: the backbone.
        channels: of every level.
    """

    def __init__(self, body: Backbone, channels: int) -> None:
        super().__init__()
        self.body, self.out_channels = body, channels
        self.fpn = FeaturePyramidNetwork(
            list(body.widths), channels, extra_blocks=LastLevelMaxPool()
        )

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        """(B, 3, height, width), normalised, to levels (B, channels, h, w): "0", "1", …, "pool"."""
        levels: OrderedDict[str, Tensor] = self.fpn(self.body(images))
        return levels

    def no_weight_decay(self) -> set[str]:
        """What the backbone leaves out of weight decay, under the names here."""
        return {f"body.{name}" for name in self.body.no_weight_decay()}


class Detector(MaskRCNN):  # type: ignore[misc]
    """torchvision's Mask R-CNN, or with a row of heads the cascade.

    In training: images and targets to losses by name, the images as large as they come. In
    evaluation: images to boxes, labels, scores and masks, in pixels of these images, which are
    resized as the recipe has it.

    Args:
        backbone: whose maps are read.
        recipe: of the model.
        classes: number of them, without the background.
        mean, std: by which the backbone's pictures were normalised, three each.
        masks: whether things have masks, and not boxes alone.

    Raises:
        InputError: strides that are no powers of 2.
    """

    def __init__(
        self,
        backbone: Backbone,
        recipe: DetectionRecipe,
        classes: int,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        *,
        masks: bool = True,
    ) -> None:
        refuse_detection(backbone.strides[0])
        strides = (*backbone.strides, 2 * backbone.strides[-1])
        sizes = tuple((round(recipe.anchor_scale * stride),) for stride in strides)
        anchors = AnchorGenerator(sizes, (_ASPECTS,) * len(sizes))
        pyramid = PyramidBackbone(backbone, recipe.pyramid_channels)
        head = RPNHead(recipe.pyramid_channels, len(_ASPECTS))
        head.register_forward_hook(_in_float32)
        pool = partial(_pool, backbone.strides, recipe.anchor_scale)
        super().__init__(
            pyramid,
            min_size=recipe.changes.validation_shortest,
            max_size=recipe.changes.longest,
            image_mean=list(mean),
            image_std=list(std),
            rpn_anchor_generator=anchors,
            rpn_head=head,
            rpn_pre_nms_top_n_train=recipe.rpn_train[0],
            rpn_post_nms_top_n_train=recipe.rpn_train[1],
            rpn_pre_nms_top_n_test=recipe.rpn_test[0],
            rpn_post_nms_top_n_test=recipe.rpn_test[1],
            box_roi_pool=pool(_BOX),
            box_head=_box_head(recipe),
            box_predictor=_box_predictor(recipe, classes),
            box_score_thresh=recipe.score_threshold,
            box_nms_thresh=recipe.nms_threshold,
            box_detections_per_img=recipe.detections_per_image,
            box_batch_size_per_image=recipe.rois_per_image,
            mask_roi_pool=pool(_MASK),
            mask_head=_mask_head(recipe),
            mask_predictor=_mask_predictor(recipe, classes),
            size_divisible=backbone.strides[-1],
            _skip_resize=True,  # in training: the data have resized them
        )
        if recipe.model == "cascade-mask-rcnn":
            self.roi_heads = _cascade(recipe, classes, pool, masks)
        elif not masks:
            heads: Any = self.roi_heads
            heads.mask_roi_pool = heads.mask_head = heads.mask_predictor = None

    def no_weight_decay(self) -> set[str]:
        """What the backbone leaves out of weight decay, under the names here."""
        return {f"backbone.{name}" for name in self.backbone.no_weight_decay()}


def refuse_detection(stride: int) -> None:
    """Refuse what torchvision's detection cannot do with a backbone.

    Args:
        stride: pixels between two positions of the first map.

    Raises:
        InputError: with the reason.
    """
    if stride & (stride - 1):
        message = f"{stride} is no power of 2, which the levels of a feature pyramid need"
        raise InputError.of("architecture.stem.patch_size", message)


def _pool(strides: tuple[int, ...], anchor_scale: float, edge: int) -> MultiScaleRoIAlign:
    names = [str(place) for place in range(len(strides))]
    pool = MultiScaleRoIAlign(names, edge, sampling_ratio=2)
    # Else they are guessed, once, from the first images and their padding.
    pool.scales = [1 / stride for stride in strides]
    finest, coarsest = (int(math.log2(stride)) for stride in (strides[0], strides[-1]))
    canonical = max(1, round(_CANONICAL * anchor_scale))
    pool.map_levels = initLevelMapper(finest, coarsest, canonical_scale=canonical)
    return pool


def _box_head(recipe: DetectionRecipe) -> nn.Module:
    channels, width = recipe.pyramid_channels, recipe.box_head_width
    if recipe.box_head == "two-mlp":
        mlp: nn.Module = TwoMLPHead(channels * _BOX**2, width)
        return mlp
    size = channels, _BOX, _BOX
    convolutions: nn.Module = FastRCNNConvFCHead(
        size, [channels] * 4, [width], norm_layer=nn.BatchNorm2d
    )
    return convolutions


def _box_predictor(recipe: DetectionRecipe, classes: int) -> nn.Module:
    predictor: nn.Module = FastRCNNPredictor(recipe.box_head_width, classes + 1)
    predictor.register_forward_hook(_in_float32)
    return predictor


def _mask_head(recipe: DetectionRecipe) -> nn.Module:
    head: nn.Module = MaskRCNNHeads(recipe.pyramid_channels, (recipe.mask_channels,) * 4, 1)
    return head


def _mask_predictor(recipe: DetectionRecipe, classes: int) -> nn.Module:
    channels = recipe.mask_channels
    predictor: nn.Module = MaskRCNNPredictor(channels, channels, classes + 1)
    predictor.register_forward_hook(_in_float32)
    return predictor


def _cascade(recipe: DetectionRecipe, classes: int, pool: Any, masks: bool) -> CascadeRoIHeads:
    rows = zip(recipe.iou_thresholds, recipe.stage_weights, strict=True)
    stages = [
        CascadeStage(
            _box_head(recipe),
            ClassAgnosticPredictor(recipe.box_head_width, classes + 1),
            threshold,
            box_weights(stage),
            weight,
            _mask_head(recipe) if masks else None,
            _mask_predictor(recipe, classes) if masks else None,
        )
        for stage, (threshold, weight) in enumerate(rows)
    ]
    return CascadeRoIHeads(
        pool(_BOX),
        stages,
        batch_size_per_image=recipe.rois_per_image,
        score_thresh=recipe.score_threshold,
        nms_thresh=recipe.nms_threshold,
        detections_per_img=recipe.detections_per_image,
        mask_roi_pool=pool(_MASK) if masks else None,
    )


def _in_float32(module: nn.Module, given: Any, found: Any) -> Any:
    """Boxes in half precision would be off by pixels, and losses are sums over many."""
    if isinstance(found, Tensor):
        return found.float()
    return type(found)(_in_float32(module, given, each) for each in found)
