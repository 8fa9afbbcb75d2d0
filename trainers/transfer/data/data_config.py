"""Where pictures with boxes or masks lie, as a person writes it in a configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
)

from space.errors import InputError, Problem, join, refuse
from space.input.paths import Folder, written_path
from space.input.pydantic_errors import problems_from_pydantic
from space.wording import as_written

Task = Literal["detection", "segmentation"]

File = Annotated[Path, PlainValidator(written_path)]

_ONLY_FOR: dict[str, Task] = {
    "train_annotations": "detection",
    "validation_annotations": "detection",
    "without_annotations": "detection",
    "class_names": "segmentation",
    "reduce_zero_label": "segmentation",
    "ignore_label": "segmentation",
}
"""Fields that mean something for one task alone."""


class TransferDataConfig(BaseModel):
    """A folder of COCO's or ADE20K's shape, or of one that people made after them.

    Attributes:
        folder: of the data. For detection with annotations/instances_train*.json and the folders of
            pictures that they are named after, or with train/ and valid/ that hold an
            _annotations.coco.json each. For segmentation with images/ and annotations/, both with
            training/ and validation/, or with images/ and masks/, or of Pascal VOC's shape. A test
            part is not touched.
        train_annotations, validation_annotations: files of annotations, where they are called
            otherwise. Their paths from the folder.
        train_images, validation_images: folders of pictures, likewise.
        train_masks, validation_masks: folders of masks, likewise.
        validation_fraction: share of the pictures that is held out for validation where the data
            have no such part; 0.1 unless given.
        split_seed: decides which ones.
        without_annotations: of pictures with nothing on them "leave_out" trains without them, as
            torchvision's references do, "keep" with them. All are validated on.
        class_names: a text file with a name a line, or ADE20K's objectInfo150.txt; classes.txt and
            objectInfo150.txt in the folder are found by themselves.
        reduce_zero_label: whether 0 in masks means no class and is ignored, and 1 is the first
            class, as in ADE20K; by default just where the folders are called as there.
        ignore_label: the value of pixels that do not count; null where all do.
        check: how each picture is looked at before training: "full" decodes it, "headers" reads
            what it says of itself, "none" only hashes it. Masks are always read.
        broken: "refuse" to begin with pictures and annotations that are wrong, or "leave_out".
        limit_train, limit_validation: keep only so many pictures, by chance under `split_seed`.
        workers: processes that decode pictures; results do not depend on it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    folder: Folder
    train_annotations: File | None = None
    validation_annotations: File | None = None
    train_images: File | None = None
    validation_images: File | None = None
    train_masks: File | None = None
    validation_masks: File | None = None
    validation_fraction: StrictFloat | None = Field(default=None, gt=0, lt=1)
    split_seed: StrictInt = Field(default=0, ge=0, lt=2**63)
    without_annotations: Literal["leave_out", "keep"] = "leave_out"
    class_names: File | None = None
    reduce_zero_label: StrictBool | None = None
    ignore_label: StrictInt | None = Field(default=255, ge=0, le=65535)
    check: Literal["full", "headers", "none"] = "full"
    broken: Literal["refuse", "leave_out"] = "refuse"
    limit_train: StrictInt | None = Field(default=None, ge=2, le=1_000_000_000)
    limit_validation: StrictInt | None = Field(default=None, ge=1, le=1_000_000_000)
    workers: StrictInt = Field(default=0, ge=0, le=256)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "data") -> "TransferDataConfig":
        """Read the configuration from parsed YAML.

        Raises:
            InputError: with every unknown field and every value that is not allowed.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(problems_from_pydantic(error, where, cls)) from None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON and YAML hold them."""
        return self.model_dump(mode="json")

    def refuse_other_tasks(self, task: Task, where: str = "data") -> None:
        """Refuse fields that mean nothing for a task.

        Raises:
            InputError: naming each that was given.
        """
        given = self.model_fields_set
        fields = {name: other for name, other in _ONLY_FOR.items() if other != task}
        if task == "detection":
            fields |= {"train_masks": "segmentation", "validation_masks": "segmentation"}
        refuse(
            Problem(
                join(where, name),
                f"only for {other}, and the task is {task}; got {as_written(self.to_dict()[name])}",
            )
            for name, other in fields.items()
            if name in given
        )
