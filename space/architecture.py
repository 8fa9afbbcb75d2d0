"""An architecture: a whole network as one frozen, canonical, hashable value with a JSON form."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import ConfigDict, Field, StrictFloat, StrictInt

from space.canonical import canonical
from space.custom import CustomMixer
from space.errors import InputError, Problem, join, refuse
from space.geometry import MapSize, hidden_width, is_whole, map_sizes, width_problems
from space.input.dataclass_fields import check_fields, from_plain, shown
from space.input.earlier_names import with_current_names
from space.input.plain_values import VERSION, from_json, without_version
from space.mixer import Mixer

MAX_STAGES = 8
BlockType = Literal["conv", "prenorm", "convnext"]
Downsample = Literal["merge", "conv"]
StemType = Literal["patch", "overlap", "pool"]
BLOCK_TYPES: tuple[BlockType, ...] = get_args(BlockType)
LAYER_SCALE = 1e-6

RENAMED = {"scaffold": "block_type"}
"""Fields of architectures and of spaces that had another name in earlier releases."""
_FIRST_NAMES = {now: before for before, now in RENAMED.items()}
"""What is stored and hashed keeps the names of the first release, so that no id changes."""

_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"))
_FORBID = ConfigDict(extra="forbid")
Count = Annotated[StrictInt, Field(ge=1, le=65536)]
_Classes = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Depth = Annotated[StrictInt, Field(ge=1, le=512)]
Ratio = Annotated[StrictFloat, Field(gt=0, le=64, allow_inf_nan=False)]
LayerScale = Annotated[StrictFloat, Field(ge=0, le=10, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Input:
    """Shape of one image: channels, height and width in pixels."""

    __pydantic_config__: ClassVar[ConfigDict] = _FORBID

    channels: Count
    height: Count
    width: Count

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Stem:
    """Makes a token of every patch of patch_size × patch_size pixels.

    Attributes:
        patch_size: edge of a patch, and the distance between two tokens.
        type: what is read for a token. "patch": its patch alone, by a linear map (ViT, Swin, the
            paper). "overlap": its neighbours' patches too, by a convolution of edge
            2·patch_size − 1 (PVTv2: 7 for patches of 4). "pool": the largest of 2×2 outputs of a
            convolution that is twice as fine, of edge patch_size + 1, then batch norm and ReLU
            (the order is not ResNet's, but costs a quarter); for even patch sizes.

    Raises:
        InputError: for a type that the patch size does not allow.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _FORBID

    patch_size: Count
    type: StemType = "patch"

    def __post_init__(self) -> None:
        check_fields(self)
        if self.type == "pool" and self.patch_size % 2:
            raise InputError.of("type", f"pool needs an even patch_size; got {self.patch_size}")
        if self.type == "overlap" and self.patch_size == 1:
            object.__setattr__(self, "type", "patch")

    @property
    def kernel_size(self) -> int:
        """Edge in pixels of what the convolution reads."""
        size = self.patch_size
        return {"patch": size, "overlap": 2 * size - 1, "pool": size + 1}[self.type]

    @property
    def label(self) -> str:
        """Type and patch in a few characters, such as "pool 2×2"."""
        return f"{self.type} {self.patch_size}×{self.patch_size}"

    @property
    def stride(self) -> int:
        """Distance in pixels between two outputs of the convolution."""
        return self.patch_size // 2 if self.type == "pool" else self.patch_size


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks at one resolution.

    Attributes:
        depth: number of blocks.
        width: channels.
        mlp_ratio: hidden channels of the blocks' MLP over the width.
        mixers: the pattern of token mixers, repeated over the blocks.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _FORBID

    depth: Depth
    width: Count
    mlp_ratio: Ratio
    mixers: Annotated[tuple[Mixer, ...], Field(min_length=1, max_length=512)]

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def hidden_width(self) -> int:
        """Hidden channels of the MLP."""
        return hidden_width(self.width, self.mlp_ratio)

    def block_mixers(self) -> tuple[Mixer, ...]:
        """The mixer of each block."""
        return tuple(self.mixers[block % len(self.mixers)] for block in range(self.depth))


@dataclass(frozen=True, slots=True)
class Head:
    """Layer norm, mean over the tokens, linear classifier.

    Attributes:
        classes: number of classes; 0 for no classifier, the network then ends with the features.
        norm: whether the norm comes before the mean (Swin, the paper) or after it (ConvNeXt).
    """

    __pydantic_config__: ClassVar[ConfigDict] = _FORBID

    classes: _Classes
    norm: Literal["before", "after"] = "before"

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True)
class Architecture:
    """A network of the family: patch stem, stages with downsampling between them, head.

    Equal networks are equal values: mixers are folded to their canonical form at the size of
    their map, and patterns to their shortest form.

    Attributes:
        input, stem, stages, head: the parts, from image to logits.
        block_type: type of the residual block that holds the mixers.
        downsample: between stages, `merge` (2×2 neighbours side by side, norm, linear: Swin, the
            paper) or `conv` (norm, 2×2 convolution with stride 2: ConvNeXt).
        layer_scale: of convnext blocks, what their factors begin with (ConvNeXt: 1e-6, for
            hundreds of epochs; 1 is for short trainings). Other blocks keep the default.

    Raises:
        InputError: with the path to every field that is off.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _FORBID

    input: Input
    stem: Stem
    block_type: BlockType
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=MAX_STAGES)]
    head: Head
    downsample: Downsample = "merge"
    layer_scale: LayerScale = LAYER_SCALE

    def __post_init__(self) -> None:
        check_fields(self)
        # What no block reads makes no other network.
        scale = float(self.layer_scale) if self.block_type == "convnext" else LAYER_SCALE
        object.__setattr__(self, "layer_scale", scale)
        refuse(p for index, stage in enumerate(self.stages) for p in _problems(index, stage))
        stages = tuple(map(_canonical_stage, self.stages, self.stage_sizes()))
        object.__setattr__(self, "stages", stages)

    def with_stage(self, index: int, stage: Stage) -> "Architecture":
        """This network with another stage at an index; the rest is canonical and stays as it is.

        Raises:
            InputError: with the path to every field of the stage that is off.
        """
        refuse(_problems(index, stage))
        changed = _canonical_stage(stage, self._stage_sizes[index])
        stages = (*self.stages[:index], changed, *self.stages[index + 1 :])
        other = object.__new__(Architecture)
        vars(other).update(vars(self), stages=stages)
        vars(other).pop("id", None)
        return other

    def stage_sizes(self) -> tuple[MapSize, ...]:
        """The map of each stage: the stem's, then halved (rounded up) from stage to stage."""
        return self._stage_sizes

    @cached_property
    def _stage_sizes(self) -> tuple[MapSize, ...]:
        image = MapSize(self.input.height, self.input.width)
        return map_sizes(image, self.stem.patch_size, len(self.stages))

    def block_mixers(self) -> list[tuple[int, int, Mixer]]:
        """(stage, block within the stage, mixer) of every block, in order."""
        return [
            (index, block, mixer)
            for index, stage in enumerate(self.stages)
            for block, mixer in enumerate(stage.block_mixers())
        ]

    def mixers(self) -> tuple[Mixer, ...]:
        """The distinct mixers, in order of first use."""
        return tuple(dict.fromkeys(mixer for _, _, mixer in self.block_mixers()))

    @property
    def name(self) -> str:
        """The operator's name when all blocks have one kind of mixer, else the names joined."""
        return " + ".join(dict.fromkeys(mixer.name for mixer in self.mixers()))

    @property
    def depth(self) -> int:
        """Number of blocks."""
        return sum(stage.depth for stage in self.stages)

    # What follows is made of architectures, so that it can only be imported by its name, and when
    # it is asked for: an architecture alone needs no torch. To import the types of what it returns
    # would be a circle; `space.networks.build` and `space.cost.cost` have them.

    def build(self, *, seed: int | None = None, drop_path_rate: float = 0.0) -> Any:
        """The network, untrained, in train mode: (B, channels, height, width) to (B, classes).

        Args:
            seed: of the first weights; None draws them from torch's global generator.
            drop_path_rate: stochastic depth of the last block; it grows linearly from 0.

        Raises:
            InputError: for a rate outside [0, 1), or a seed that is none.
        """
        return import_module("space.networks").build(self, drop_path_rate, seed=seed)

    def cost(self) -> Any:
        """Parameters and multiply-accumulates of the network, exact, for one image."""
        return import_module("space.cost").cost(self)

    def _repr_html_(self) -> str:
        html: str = import_module("space.html").of_architecture(self)
        return html

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON or YAML; options only off their default.

        A field that a later release adds must be left out at its default, so that no id changes.
        """
        values: dict[str, Any] = {
            "version": VERSION,
            "input": {
                "channels": self.input.channels,
                "height": self.input.height,
                "width": self.input.width,
            },
            "stem": {"patch_size": self.stem.patch_size},
            "block_type": self.block_type,
            "stages": [_stage_dict(stage) for stage in self.stages],
            "head": {"classes": self.head.classes},
        }
        if self.head.norm != "before":
            values["head"]["norm"] = self.head.norm
        if self.downsample != "merge":
            values["downsample"] = self.downsample
        if self.stem.type != "patch":
            values["stem"]["type"] = self.stem.type
        if self.layer_scale != LAYER_SCALE:
            values["layer_scale"] = self.layer_scale
        return values

    def to_json(self) -> str:
        """The canonical JSON: sorted keys, no spaces, fields by the names of the first release."""
        values = self.to_dict()
        return _JSON.encode({_FIRST_NAMES.get(name, name): values[name] for name in values})

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits of the SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:16]

    @classmethod
    def from_dict(cls, values: object, where: str = "") -> "Architecture":
        """The architecture that `to_dict` describes.

        Raises:
            InputError: with every problem, below the path `where`.
        """
        values = with_current_names(without_version(values, where), RENAMED, where)
        return from_plain(cls, _with_custom_mixers(values, where), where)

    @classmethod
    def from_json(cls, text: str) -> "Architecture":
        """The architecture that `to_json` wrote.

        Raises:
            InputError: for what is not JSON, and as `from_dict` does.
        """
        return cls.from_dict(from_json(text, "architecture"))


def _with_custom_mixers(values: Any, where: str) -> Any:
    """The values with the custom mixers in them read; all else stays as it is."""
    stages = values.get("stages") if isinstance(values, dict) else None
    if not isinstance(stages, list | tuple):
        return values
    problems: list[Problem] = []

    def read(mixer: Any, path: str) -> Any:
        if not isinstance(mixer, dict) or "custom" not in mixer:
            return mixer
        try:
            return CustomMixer.from_dict(mixer, path)
        except InputError as error:
            problems.extend(error.problems)
            return mixer

    if not any(_has_custom(stage) for stage in stages):
        return values
    read_stages = [
        stage
        | {
            "mixers": [
                read(mixer, join(where, f"stages[{index}].mixers[{place}]"))
                for place, mixer in enumerate(stage["mixers"])
            ]
        }
        if _has_custom(stage)
        else stage
        for index, stage in enumerate(stages)
    ]
    refuse(problems)
    return values | {"stages": read_stages}


def _has_custom(stage: Any) -> bool:
    mixers = stage.get("mixers") if isinstance(stage, dict) else None
    return isinstance(mixers, list | tuple) and any(
        isinstance(mixer, dict) and "custom" in mixer for mixer in mixers
    )


def _problems(index: int, stage: Stage) -> Iterator[Problem]:
    where = f"stages[{index}]"
    if not is_whole(stage.width * stage.mlp_ratio):
        message = f"{stage.mlp_ratio} of width {stage.width} is not a whole number"
        yield Problem(f"{where}.mlp_ratio", message)
    for place, mixer in enumerate(stage.mixers):
        for problem in width_problems(mixer, stage.width):
            yield Problem(f"{where}.mixers[{place}].{problem.where}", problem.message)


def at_block(mixer: Mixer, block: int) -> Mixer:
    """The mixer as it stands at a block: where no tile ever moves, `shift` keeps its default."""
    return mixer.changed(shift=True) if mixer.shift is False and block % 2 == 0 else mixer


def _canonical_stage(stage: Stage, size: MapSize) -> Stage:
    folded = [canonical(mixer, stage.width, size) for mixer in stage.mixers]
    blocks = [at_block(folded[block % len(folded)], block) for block in range(stage.depth)]
    mixers, ratio = _shortest_pattern(blocks), stage.mlp_ratio
    exact = int(ratio) if ratio == int(ratio) else ratio
    if mixers == stage.mixers and type(ratio) is type(exact):
        return stage
    return Stage(depth=stage.depth, width=stage.width, mlp_ratio=exact, mixers=mixers)


def _shortest_pattern(mixers: list[Mixer]) -> tuple[Mixer, ...]:
    for length in range(1, len(mixers)):
        if mixers[length:] == mixers[:-length]:
            return tuple(mixers[:length])
    return tuple(mixers)


def _stage_dict(stage: Stage) -> dict[str, Any]:
    return {
        "depth": stage.depth,
        "width": stage.width,
        "mlp_ratio": stage.mlp_ratio,
        "mixers": [mixer.to_dict() for mixer in stage.mixers],
    }


def refuse_other_than_architecture(value: object) -> None:
    """Refuse what is no architecture, as a call from Python may hand anything in.

    Raises:
        InputError: it is of another kind.
    """
    if not isinstance(value, Architecture):
        raise InputError.of("architecture", f"must be an Architecture; got {shown(value)}")
