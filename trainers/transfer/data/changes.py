"""How pictures are resized and changed on the way to a detection or segmentation model.

They are plain values, without torch, so that a recipe holds them and its hash covers them.
"""

from typing import Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_validator,
)


class DetectionChanges(BaseModel):
    """Multi-scale training and its validation, by default as the paper has them on COCO.

    Attributes:
        shortest: pixels; the shorter edge of a training picture becomes one of them, by chance.
        longest: pixels that the longer edge has at most; the shorter one is then smaller.
        flip: chance that a picture is mirrored, left to right.
        validation_shortest: pixels of the shorter edge in validation. None leaves pictures in the
            size of their files, for models that resize by themselves.
        group_by_shape: whether pictures of a batch are all wider than high, or all not, as
            in torchvision's references: less of a batch is padding.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    shortest: tuple[StrictInt, ...] = (480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800)
    longest: StrictInt = Field(default=1333, ge=16, le=100_000)
    flip: StrictFloat = Field(default=0.5, ge=0, le=1)
    validation_shortest: StrictInt | None = Field(default=800, ge=16, le=100_000)
    group_by_shape: StrictBool = True

    @model_validator(mode="after")
    def _sizes(self) -> Self:
        """Each size is one that a picture can have."""
        if not self.shortest or min(self.shortest) < 16:
            raise ValueError(f"shortest must be sizes of at least 16 pixels; got {self.shortest}")
        return self


class SegmentationChanges(BaseModel):
    """Random scale, crop, flip and colours, by default as UPerNet is trained on ADE20K.

    Attributes:
        crop: pixels of the square that is trained on; smaller pictures are padded.
        scale: bounds of the random factor by which training pictures grow beyond `shortest`.
        shortest, longest: pixels that the edges have at scale 1: the picture is made as large as
            it fits in.
        most_of_one_class: largest share of one class in a crop; ten crops are tried.
        flip: chance that a picture is mirrored, left to right.
        distort_colours: whether brightness, contrast, saturation and hue vary.
        padding: the colour around pictures that are smaller than the crop, as shares of white: by
            default the mean of ImageNet, which normalised is 0.
        mean, std: by which pixels are normalised, likewise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    crop: StrictInt = Field(default=512, ge=16, le=100_000)
    scale: tuple[StrictFloat, StrictFloat] = (0.5, 2.0)
    shortest: StrictInt = Field(default=512, ge=16, le=100_000)
    longest: StrictInt = Field(default=2048, ge=16, le=100_000)
    most_of_one_class: StrictFloat = Field(default=0.75, gt=0, le=1)
    flip: StrictFloat = Field(default=0.5, ge=0, le=1)
    distort_colours: StrictBool = True
    padding: tuple[StrictFloat, StrictFloat, StrictFloat] = (0.485, 0.456, 0.406)
    mean: tuple[StrictFloat, StrictFloat, StrictFloat] = (0.485, 0.456, 0.406)
    std: tuple[StrictFloat, StrictFloat, StrictFloat] = (0.229, 0.224, 0.225)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        """Factors that make sense."""
        low, high = self.scale
        if not 0 < low <= high <= 100:
            raise ValueError(f"scale must be two factors, more than 0 and rising; got {self.scale}")
        if min(self.std) <= 0:
            raise ValueError(f"std must be more than 0; got {self.std}")
        return self
