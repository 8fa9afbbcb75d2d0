"""The recipe of a transfer: model, schedule and pictures, as one hashed object without torch."""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from space.errors import InputError, Problem, refuse
from space.input.pydantic_errors import problems_from_pydantic
from trainers.transfer.data.changes import DetectionChanges, SegmentationChanges
from trainers.transfer.data.data_config import Task

_STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TransferRecipe(BaseModel):
    """What recipes of both tasks have; the length is in epochs or in iterations.

    Attributes:
        task: what is trained.
        epochs, iterations: length of the training, one of the two. An iteration is a step.
        batch_size: pictures of a step; the last incomplete batch of an epoch is dropped.
        accumulation: a batch goes through the model in that many equal parts, whose gradients are
            averaged: less memory. Batch norms and the means of the losses see the parts.
        optimiser, learning_rate, weight_decay, betas: AdamW; also spelt `optimizer`. Norms, biases
            and what the backbone names in `no_weight_decay` are not decayed.
        schedule: "step" multiplies the rate by `decay_factor` at each of `milestones`; "poly" lets
            it fall to 0 as (1 − part of the training)^`power`.
        milestones: in the unit of the length, rising; only for "step".
        decay_factor, power: see `schedule`.
        warmup_steps, warmup_factor: the rate begins at this factor of itself and rises linearly
            over so many steps.
        clip_norm: largest gradient norm, null for no clipping.
        max_nonfinite_steps: a step whose loss or gradient is nan or infinite changes nothing and is
            counted; with more of them than this the training has failed.
        precision: "auto" is bfloat16 autocast on a GPU and float32 on a CPU. Boxes, losses and
            norms are in float32 in any case.
        drop_path: rate in the backbone's last block, rising linearly from 0; 0 where it is frozen.
        batch_norm: of the backbone. "running" keeps the statistics that it was trained with, as
            codebases of detection do for batches of few pictures; "batch" goes by the batch.
        weight_init: first weights of a backbone that begins from scratch, as in a protocol: narrow
            networks learn faster from "lecun".
        grad_checkpointing: of every block of the backbone only its input is kept, the rest is
            computed again; the same results, and in no hash.
    """

    model_config = _STRICT

    task: Task
    epochs: StrictInt | None = Field(default=None, ge=1, le=100_000)
    iterations: StrictInt | None = Field(default=None, ge=1, le=10**8)
    batch_size: StrictInt = Field(default=16, ge=1, le=4096)
    accumulation: StrictInt = Field(default=1, ge=1, le=4096)
    optimiser: Literal["adamw"] = Field(
        default="adamw", validation_alias=AliasChoices("optimiser", "optimizer")
    )
    learning_rate: StrictFloat = Field(default=1e-4, gt=0, le=10)
    weight_decay: StrictFloat = Field(default=0.05, ge=0, le=10)
    betas: tuple[StrictFloat, StrictFloat] = (0.9, 0.999)
    schedule: Literal["step", "poly"] = "step"
    milestones: tuple[StrictInt, ...] = ()
    decay_factor: StrictFloat = Field(default=0.1, gt=0, lt=1)
    power: StrictFloat = Field(default=1.0, gt=0, le=10)
    warmup_steps: StrictInt = Field(default=0, ge=0, le=10**8)
    warmup_factor: StrictFloat = Field(default=1e-3, gt=0, le=1)
    clip_norm: StrictFloat | None = Field(default=None, gt=0)
    max_nonfinite_steps: StrictInt = Field(default=10, ge=0, le=10**6)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    drop_path: StrictFloat = Field(default=0.0, ge=0, lt=1)
    batch_norm: Literal["running", "batch"] = "running"
    weight_init: Literal["published", "fan_in", "lecun"] = "published"
    grad_checkpointing: StrictBool = False

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        refuse(_clashes(self))
        return self

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON and YAML hold them; `read_recipe` reads them back."""
        return self.model_dump(mode="json")

    @property
    def hash(self) -> str:
        """16 hex digits over all that changes results."""
        values = {k: v for k, v in self.to_dict().items() if k != "grad_checkpointing"}
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def steps_per_epoch(self, pictures: int) -> int:
        """Steps of a pass over so many pictures; a batch of fewer counts only if it is the one."""
        return max(1, pictures // self.batch_size)

    def steps(self, pictures: int) -> int:
        """Steps of the whole training."""
        return self.iterations or (self.epochs or 1) * self.steps_per_epoch(pictures)


class DetectionRecipe(TransferRecipe):
    """Mask R-CNN or its cascade over a feature pyramid (torchvision's models).

    Attributes:
        model: "mask-rcnn", or "cascade-mask-rcnn" of Cai and Vasconcelos, which the paper has.
        changes: of the pictures.
        pyramid_channels: of every level of the pyramid.
        anchor_scale: edge of the anchors of a level, in strides of that level: 8 is 32 to 512.
        box_head: "two-mlp" (torchvision's Mask R-CNN) or "four-conv": four convolutions with batch
            norm and a linear layer, as the paper's size of models has it.
        box_head_width: of its linear layers.
        mask_channels: of the four convolutions of a mask head.
        rpn_train, rpn_test: proposals of a picture that are kept, before and after suppression.
        rois_per_image: proposals of a picture that a box head is trained on.
        detections_per_image, score_threshold, nms_threshold: of what is found.
        iou_thresholds: of the cascade's stages, rising: the overlap that makes a proposal positive.
        stage_weights: of their losses.
    """

    task: Literal["detection"] = "detection"
    model: Literal["mask-rcnn", "cascade-mask-rcnn"] = "mask-rcnn"
    changes: DetectionChanges = DetectionChanges()
    pyramid_channels: StrictInt = Field(default=256, ge=8, le=4096)
    anchor_scale: StrictFloat = Field(default=8.0, gt=0, le=64)
    box_head: Literal["two-mlp", "four-conv"] = "two-mlp"
    box_head_width: StrictInt = Field(default=1024, ge=8, le=16_384)
    mask_channels: StrictInt = Field(default=256, ge=8, le=4096)
    rpn_train: tuple[StrictInt, StrictInt] = (2000, 2000)
    rpn_test: tuple[StrictInt, StrictInt] = (1000, 1000)
    rois_per_image: StrictInt = Field(default=512, ge=4, le=65_536)
    detections_per_image: StrictInt = Field(default=100, ge=1, le=10_000)
    score_threshold: StrictFloat = Field(default=0.05, ge=0, lt=1)
    nms_threshold: StrictFloat = Field(default=0.5, gt=0, le=1)
    iou_thresholds: tuple[StrictFloat, ...] = (0.5, 0.6, 0.7)
    stage_weights: tuple[StrictFloat, ...] = (1.0, 0.5, 0.25)

    @model_validator(mode="after")
    def _of_detection(self) -> Self:
        refuse(_detection_clashes(self))
        return self


class SegmentationRecipe(TransferRecipe):
    """UPerNet (segmentation-models-pytorch's decoder) with an auxiliary FCN head.

    Attributes:
        model: "upernet".
        changes: of the pictures. Mean and deviation are left out: the backbone's own count.
        decoder_channels: of the pyramid and of the pooling.
        dropout: of whole channels before the classifiers.
        auxiliary_weight: of the loss of an FCN head on the stage before the last; 0 for no head.
        auxiliary_channels: of its convolution.
    """

    task: Literal["segmentation"] = "segmentation"
    model: Literal["upernet"] = "upernet"
    changes: SegmentationChanges = SegmentationChanges()
    decoder_channels: StrictInt = Field(default=512, ge=8, le=4096)
    dropout: StrictFloat = Field(default=0.1, ge=0, lt=1)
    auxiliary_weight: StrictFloat = Field(default=0.4, ge=0, le=10)
    auxiliary_channels: StrictInt = Field(default=256, ge=8, le=4096)

    @model_validator(mode="after")
    def _of_segmentation(self) -> Self:
        usual = SegmentationChanges()
        for name in ("mean", "std"):
            if getattr(self.changes, name) != getattr(usual, name):
                message = "pictures are normalised as those that the backbone was trained on; "
                message += f"leave it out; got {list(getattr(self.changes, name))}"
                raise InputError.of(f"changes.{name}", message)
        if self.batch_size // self.accumulation < 2:
            # The pooled map of one picture has one value a channel, and no variance.
            message = f"at least 2 pictures a part, for the batch norms; got {self.batch_size}"
            if self.accumulation > 1:
                message += f" in {self.accumulation} parts"
            raise InputError.of("batch_size", message)
        return self


Recipe = DetectionRecipe | SegmentationRecipe

RECIPES: dict[str, type[DetectionRecipe] | type[SegmentationRecipe]] = {
    "detection": DetectionRecipe,
    "segmentation": SegmentationRecipe,
}


def read_recipe(values: Mapping[str, Any], where: str = "recipe") -> Recipe:
    """Read a recipe from parsed YAML.

    Raises:
        InputError: with every unknown field and every value that is not allowed.
    """
    task = values.get("task")
    if not isinstance(task, str) or task not in RECIPES:
        message = f"must be one of {', '.join(RECIPES)}; got {task!r:.80}"
        raise InputError.of(f"{where}.task", message)
    kind = RECIPES[task]
    try:
        return kind.model_validate(dict(values))
    except ValidationError as error:
        raise InputError(problems_from_pydantic(error, where, kind)) from None


def of_new_length(
    before: Mapping[str, Any], after: Mapping[str, Any], changed: Collection[str]
) -> dict[str, Any]:
    """The fields of a recipe after some of them were changed, the rest of its schedule with them.

    A length in epochs takes the place of one in iterations, and the other way round. Milestones
    keep their share of the length, unless they were changed.

    Args:
        before: the fields of the recipe.
        after: the same, changed; what cannot be read is left to `read_recipe`.
        changed: the names of the fields that were.
    """
    fields = dict(after)
    for length, other in (("epochs", "iterations"), ("iterations", "epochs")):
        if length in changed and fields.get(length) is not None and other not in changed:
            fields[other] = None
    old, new = (each.get("epochs") or each.get("iterations") for each in (before, fields))
    given = before.get("milestones")
    if not isinstance(given, list):
        return fields
    if old == new or "milestones" in changed or not _whole(old, new, *given):
        return fields
    scaled = sorted({max(1, round(each * new / old)) for each in given})
    return fields | {"milestones": [each for each in scaled if each < new]}


def _whole(*numbers: Any) -> bool:
    return all(type(each) is int and each > 0 for each in numbers)


def _clashes(recipe: TransferRecipe) -> list[Problem]:
    """What no single field shows."""
    found: list[Problem] = []
    if (recipe.epochs is None) == (recipe.iterations is None):
        got = f"{recipe.epochs} epochs and {recipe.iterations} iterations"
        found.append(Problem("epochs", f"give epochs or iterations, one of the two; got {got}"))
    if recipe.batch_size % recipe.accumulation:
        message = f"must be a multiple of accumulation ({recipe.accumulation}); got "
        found.append(Problem("batch_size", message + str(recipe.batch_size)))
    if not all(0 <= beta < 1 for beta in recipe.betas):
        found.append(Problem("betas", f"each must be in [0, 1); got {recipe.betas}"))
    return found + _milestone_clashes(recipe)


def _milestone_clashes(recipe: TransferRecipe) -> list[Problem]:
    given, length = recipe.milestones, recipe.epochs or recipe.iterations or 0
    if given and recipe.schedule != "step":
        return [Problem("milestones", f"only for schedule step, and this is {recipe.schedule}")]
    rising = list(given) == sorted(set(given))
    if not rising or any(not 0 < each < length for each in given):
        message = f"must rise, each between 0 and the length {length}; got {list(given)}"
        return [Problem("milestones", message)]
    return []


def _detection_clashes(recipe: DetectionRecipe) -> list[Problem]:
    found: list[Problem] = []
    limits = recipe.iou_thresholds
    if not limits or list(limits) != sorted(set(limits)) or not 0 < limits[0] <= limits[-1] < 1:
        message = f"must rise, each between 0 and 1; got {list(limits)}"
        found.append(Problem("iou_thresholds", message))
    if len(recipe.stage_weights) != len(limits):
        message = f"one for each of {len(limits)} iou_thresholds; got {list(recipe.stage_weights)}"
        found.append(Problem("stage_weights", message))
    elif min(recipe.stage_weights) <= 0:
        message = f"each must be more than 0; got {list(recipe.stage_weights)}"
        found.append(Problem("stage_weights", message))
    for name in ("rpn_train", "rpn_test"):
        if min(getattr(recipe, name)) < 1:
            message = f"each must be at least 1; got {list(getattr(recipe, name))}"
            found.append(Problem(name, message))
    if recipe.changes.validation_shortest is None:
        message = "must be a size in pixels; got null: models are validated at one size"
        found.append(Problem("changes.validation_shortest", message))
    return found
