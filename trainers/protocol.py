"""The protocol: everything that decides how a candidate is judged, as one hashed object."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self, get_args

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StrictFloat,
    StrictInt,
    ValidationError,
    model_validator,
)

from space.errors import InputError, Problem, refuse
from space.input.pydantic_errors import problems_from_pydantic
from trainers.legacy_defaults import with_legacy_defaults, without_legacy_defaults
from trainers.seeds import Seeds, derive

WeightDecayExempt = Literal["network", "one_dimensional"]
JudgedBy = Literal["last", "best"]
Decoded = Literal["image-folder", "tar-shards", "timm"]
"""Kinds of data whose pictures are decoded one by one, and brought to one size."""
Resident = Literal["fashion-mnist", "idx", "cifar10", "cifar100", "npz"]
"""Kinds of data whose images are all in memory, and of one size."""
DataName = Literal[Resident, Decoded]


class Augmentation(BaseModel):
    """How training images are changed. The second half is for decoded pictures only.

    Attributes:
        crop_padding: zero padding in pixels before a random crop back to size (images in memory).
        flip: probability of a horizontal mirror.
        mixup: alpha of mixup, 0 is off. cutmix: alpha of CutMix, 0 is off.
        mixup_switch: probability of CutMix where both are on.
        random_erasing: probability that a random box of an image is replaced by noise.
        rand_augment: timm's policy text such as "rand-m9-mstd0.5-inc1", or null.
        colour_jitter: strength of brightness, contrast and saturation changes; as in timm it
            has no effect together with rand_augment.
        repeats: how often an image comes in a pass, one right after the other and each changed in
            its own way (repeated augmentation; timm's `--aug-repeats`). An epoch has as many
            images as without, so it sees only every `repeats`-th.
        crop_scale: smallest and largest share of the image area in a random resized crop.
        interpolation: of every resize. image_size: edge in pixels of the square network input.
        background: what lies behind transparent pixels.
        test_crop: share of the resized shorter edge that the centre crop keeps (224 of 256).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    crop_padding: StrictInt = Field(default=0, ge=0, le=16)
    flip: StrictFloat = Field(default=0.5, ge=0, le=1)
    mixup: StrictFloat = Field(default=0.0, ge=0, le=10)
    cutmix: StrictFloat = Field(default=0.0, ge=0, le=10)
    mixup_switch: StrictFloat = Field(default=0.5, ge=0, le=1)
    random_erasing: StrictFloat = Field(default=0.0, ge=0, le=1)
    rand_augment: str | None = Field(
        default=None, pattern=r"^rand(-(m|mstd|inc|n|p|w|t)\d+(\.\d+)?)*$"
    )
    colour_jitter: StrictFloat = Field(default=0.0, ge=0, le=1)
    repeats: StrictInt = Field(default=1, ge=1, le=16)
    crop_scale: tuple[StrictFloat, StrictFloat] = (0.08, 1.0)
    interpolation: Literal["bicubic", "bilinear", "random"] = "bicubic"
    image_size: StrictInt = Field(default=224, ge=8, le=4096)
    background: Literal["white", "black", "grey"] = "white"
    test_crop: StrictFloat = Field(default=0.875, gt=0, le=1)

    @model_validator(mode="after")
    def _crop_scale_is_a_range(self) -> Self:
        low, high = self.crop_scale
        if not 0 < low <= high <= 1:
            message = f"must rise from above 0 to at most 1; got {low}, {high}"
            raise InputError.of("crop_scale", message)
        return self

    @property
    def mixes(self) -> bool:
        """Whether pairs of images are mixed, which makes the targets soft."""
        return self.mixup > 0 or self.cutmix > 0


class Protocol(BaseModel):
    """How every candidate of a study is judged. Results compare only within one protocol.

    The defaults are the recipe for Fashion-MNIST; `Protocol.paper_imagenet()` is the paper's.

    Attributes:
        data: name of the data set.
        content_hash, split_hash: of the data as opened; null until then. A value given in a
            configuration pins the data: other data are refused.
        split_seed: decides which training images become the validation split.
        validation_fraction: share of the training images held out for validation.
        epochs, batch_size: length of training; the last incomplete batch is dropped.
        samples_per_epoch: training images of an epoch, after which is validated, reported and
            saved; null for each once. With fewer a pass over all of them takes several epochs,
            so that many images need not mean few reports; with more, an epoch repeats them.
        accumulation: a batch goes through the network in that many equal parts, one after the
            other, whose gradients are summed: less memory. The step, its rate and its clipping are
            those of the whole batch; batch norm sees the parts.
        batch_norm_parts: 1: batch norm takes the statistics of the whole batch (of each of the
            parts of `accumulation`), however many processes train a trial; several share theirs
            (SyncBN). A higher number: each of exactly so many processes takes those of its own
            share of the images, and those of the first are kept for validation.
        optimiser, learning_rate, weight_decay, betas: AdamW; also spelt `optimizer`.
        weight_decay_exempt: what is not decayed. "network": parameters of one dimension, biases,
            and what the network itself names in `no_weight_decay` (Swin's tables of relative
            positions), as timm's `create_optimizer_v2` has it. "one_dimensional": only the first
            two; so was every protocol of earlier releases.
        layer_decay: the rate of a block is this times that of the next one; the head has the whole
            rate and the stem the smallest (timm's `--layer-decay`). Null for one rate.
        warmup_epochs, warmup_learning_rate, minimum_learning_rate: linear warm-up, then a cosine
            over all epochs, both by step.
        label_smoothing: share of the target spread over all classes.
        clip_norm: largest gradient norm, null for no clipping.
        max_nonfinite_steps: a step whose loss or gradient is nan or infinite changes nothing and is
            counted. With more of them in an epoch than this, or nothing else, the trial has
            failed. What float16's scaling of the loss skips is counted and has no limit.
        drop_path: rate in the last block, rising linearly from 0.
        precision: "auto" is bfloat16 autocast on a GPU and float32 on a CPU. "float16" is for GPUs
            alone, with scaling of the loss.
        seed_policy: "per-trial" gives every architecture its own seeds, "shared" all the same.
        initialisation: "scratch" always starts from random weights; "inherited" from those of a
            trained parent that the architecture contains, where there is one. Its results depend
            on what was trained before, so they compare only with results of the same kind.
            "finetuned" starts from a finished training of the same network, whose images and
            classes may be others; what belongs to other classes is drawn anew.
        source_protocol: hash of the protocol of that finished training; only for "finetuned".
        weight_init: the first weights of linear layers and convolutions. "published": as the
            networks were published, normal of deviation 0.02 in linear layers, which is for
            hundreds of epochs. "lecun": of deviation 1/√fan-in in all of them, and in mixing
            weights that they generate, for short ones. "fan_in": in layers alone, as earlier.
        ema_decay: what is judged and kept is the moving average of the weights, which keeps so
            much of itself in a step (the decay rises to that with the steps); null for the weights.
        judged_by: the epoch whose metrics are those of a trial. "last": the last, as trained.
            "best": of every metric its best epoch, which is chosen by the validation images that
            it is measured on and so is optimistic; so was every protocol of earlier releases.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    data: DataName = "fashion-mnist"
    content_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{16}$")
    split_hash: str | None = Field(default=None, pattern=r"^[0-9a-f]{16}$")
    split_seed: StrictInt = Field(default=0, ge=0, lt=2**63)
    validation_fraction: StrictFloat = Field(default=0.2, gt=0, lt=1)
    epochs: StrictInt = Field(default=6, ge=1, le=100_000)
    batch_size: StrictInt = Field(default=64, ge=2, le=65_536)
    samples_per_epoch: StrictInt | None = Field(default=None, ge=1, le=10**8)
    accumulation: StrictInt = Field(default=1, ge=1, le=4096)
    batch_norm_parts: StrictInt = Field(default=1, ge=1, le=4096)
    optimiser: Literal["adamw"] = Field(
        default="adamw", validation_alias=AliasChoices("optimiser", "optimizer")
    )
    learning_rate: StrictFloat = Field(default=5e-3, gt=0, le=10)
    weight_decay: StrictFloat = Field(default=0.2, ge=0, le=10)
    weight_decay_exempt: WeightDecayExempt = "network"
    betas: tuple[StrictFloat, StrictFloat] = (0.9, 0.99)
    layer_decay: StrictFloat | None = Field(default=None, gt=0, lt=1)
    warmup_epochs: StrictFloat = Field(default=1.0, ge=0)
    warmup_learning_rate: StrictFloat = Field(default=1e-4, ge=0, le=10)
    minimum_learning_rate: StrictFloat = Field(default=1e-5, ge=0, le=10)
    label_smoothing: StrictFloat = Field(default=0.1, ge=0, lt=1)
    clip_norm: StrictFloat | None = Field(default=5.0, gt=0)
    max_nonfinite_steps: StrictInt = Field(default=10, ge=0, le=10**6)
    drop_path: StrictFloat = Field(default=0.0, ge=0, lt=1)
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    seed_policy: Literal["per-trial", "shared"] = "per-trial"
    augmentation: Augmentation = Augmentation()
    initialisation: Literal["scratch", "inherited", "finetuned"] = "scratch"
    source_protocol: str | None = Field(default=None, pattern=r"^[0-9a-f]{16}$")
    weight_init: Literal["published", "fan_in", "lecun"] = "published"
    ema_decay: StrictFloat | None = Field(default=None, gt=0, lt=1)
    judged_by: JudgedBy = "last"

    @model_validator(mode="after")
    def _fields_fit_together(self) -> Self:
        refuse(_clashes(self))
        return self

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "protocol") -> "Protocol":
        """Read a protocol from parsed YAML.

        Raises:
            InputError: with every unknown field and every value out of range.
        """
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise InputError(problems_from_pydantic(error, where, cls)) from None

    @classmethod
    def from_stored(cls, values: Mapping[str, Any], where: str = "protocol") -> "Protocol":
        """Read a protocol that a store keeps, also of an earlier release: it is what it was.

        Raises:
            InputError: it cannot be read any more.
        """
        return cls.from_dict(with_legacy_defaults(values), where)

    @classmethod
    def paper_imagenet(cls, **changes: Any) -> "Protocol":
        """The paper's ImageNet-1K recipe (Swin's), for a batch of 1024.

        Its test crop of 224 out of 256 is `test_crop=0.875`. Drop path is that of the T models.
        """
        return cls.from_dict(PAPER_IMAGENET | changes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as JSON and YAML hold them; `from_dict` reads them back to an equal one."""
        return self.model_dump(mode="json")

    def bound_to(self, content_hash: str, split_hash: str) -> "Protocol":
        """This protocol on data that have been opened.

        Raises:
            InputError: if the protocol pins other data.
        """
        found = {"content_hash": content_hash, "split_hash": split_hash}
        refuse(
            Problem(f"protocol.{name}", f"pinned to {pinned}, but the data give {value}: {_OTHERS}")
            for name, value in found.items()
            if (pinned := getattr(self, name)) not in (None, value)
        )
        return self.model_copy(update=found)

    def samples_of_an_epoch(self, images: int) -> int:
        """How many of so many training images an epoch goes through, repeated ones counted."""
        return self.samples_per_epoch or images

    def steps_per_epoch(self, images: int) -> int:
        """Training batches in an epoch; the last incomplete one counts only if it is the only one.

        Batch norm on a batch of a few images would disturb what a whole epoch has settled.
        """
        return max(1, self.samples_of_an_epoch(images) // self.batch_size)

    def seeds(self, study_seed: int, architecture_id: str) -> Seeds:
        """The seeds of a trial, by `seed_policy`; nothing but the arguments decides them."""
        subject = architecture_id if self.seed_policy == "per-trial" else "shared"
        return Seeds(
            initialisation=derive(study_seed, subject, "initialisation") >> 32,
            data_order=derive(study_seed, subject, "data order") >> 32,
        )

    @property
    def hash(self) -> str:
        """16 hex digits over `to_dict`, in canonical JSON, without what was not always a field.

        What stands at the value that earlier releases had by necessity is left out, so that their
        protocols keep their hashes, and a stored study stays the study it was.
        """
        values = without_legacy_defaults(self.to_dict())
        text = json.dumps(values, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


_OTHERS = "these are not the images, or not the split, that it is for; null takes whatever is there"


def _clashes(protocol: Protocol) -> list[Problem]:
    """What no single field shows."""
    found: list[Problem] = []
    if protocol.warmup_epochs > protocol.epochs:
        message = f"must not exceed epochs ({protocol.epochs}); got {protocol.warmup_epochs}"
        found.append(Problem("warmup_epochs", message))
    for name in ("warmup_learning_rate", "minimum_learning_rate"):
        if getattr(protocol, name) > protocol.learning_rate:
            message = f"must not exceed learning_rate ({protocol.learning_rate}); got "
            found.append(Problem(name, message + str(getattr(protocol, name))))
    if not all(0 <= beta < 1 for beta in protocol.betas):
        found.append(Problem("betas", f"each must be in [0, 1); got {protocol.betas}"))
    found += [Problem("batch_size", why) for why in _uneven(protocol)]
    if protocol.source_protocol is not None and protocol.initialisation != "finetuned":
        message = f"only where initialisation is finetuned; it is {protocol.initialisation}"
        found.append(Problem("source_protocol", message))
    return found + _foreign_augmentation(protocol)


def _uneven(protocol: Protocol) -> Iterator[str]:
    """Why the batch cannot be cut as it is to be: into parts, and parts into pairs to be mixed."""
    size, parts = protocol.batch_size, protocol.accumulation
    if protocol.augmentation.mixes and size % (2 * parts):
        whole = "even with mixup or cutmix" if parts == 1 else f"a multiple of {2 * parts}"
        yield f"must be {whole}; got {size}" + _of_parts(protocol)
    elif size % parts:
        yield f"must be a multiple of accumulation ({parts}); got {size}"


def _of_parts(protocol: Protocol) -> str:
    parts = protocol.accumulation
    return "" if parts == 1 else f" (accumulation is {parts}, and pairs of a part are mixed)"


_ONLY_FOR: dict[tuple[str, ...], tuple[str, ...]] = {
    get_args(Decoded): (
        "rand_augment",
        "colour_jitter",
        "crop_scale",
        "interpolation",
        "image_size",
        "background",
        "test_crop",
    ),
    get_args(Resident): ("crop_padding",),
}


def _foreign_augmentation(protocol: Protocol) -> list[Problem]:
    """Augmentation that the data set has no use for, refused rather than ignored."""
    default = Augmentation()
    found: list[Problem] = []
    for data, names in _ONLY_FOR.items():
        for name in names if protocol.data not in data else ():
            value = getattr(protocol.augmentation, name)
            if value != getattr(default, name):
                kinds = " or ".join(map(repr, data))
                message = f"only for data {kinds}, and this is {protocol.data!r}; got {value!r}"
                found.append(Problem(f"augmentation.{name}", message))
    return found


PAPER_IMAGENET: dict[str, Any] = {
    "data": "image-folder",
    "validation_fraction": 0.02,
    "epochs": 300,
    "batch_size": 1024,
    "learning_rate": 1e-3,
    "weight_decay": 0.05,
    "betas": (0.9, 0.999),
    "warmup_epochs": 20,
    "warmup_learning_rate": 5e-7,
    "minimum_learning_rate": 5e-6,
    "label_smoothing": 0.1,
    "clip_norm": 5.0,
    "drop_path": 0.2,
    "augmentation": {
        "flip": 0.5,
        "mixup": 0.8,
        "cutmix": 1.0,
        "mixup_switch": 0.5,
        "random_erasing": 0.25,
        "rand_augment": "rand-m9-mstd0.5-inc1",
        "colour_jitter": 0.4,
    },
}
