"""The parts that networks are made of, each at its size: stem, blocks, downsampling, head.

Equal parts take equal time wherever they stand, so each is measured once. Knows no torch.
"""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from space import Architecture, DesignSpace
from space.architecture import BlockType, Downsample, Input, Stem, at_block
from space.custom import CustomMixer
from space.design.stage_options import StageOptions
from space.errors import InputError
from space.geometry import MapSize, hidden_width
from space.mixer import Mixer
from trainers.latency.spec import digest

Kind = Literal["stem", "block", "downsample", "head"]

TOGETHER = 6
"""So many parts are measured in turns."""
STACK = 2
"""So many equal blocks are measured one after the other: as in a network, a block reads what
another has just written, and the cost of a call is spread. Four push their own weights out of the
cache where they are large, which a network of few such blocks does not: they took a fifth too long.
"""


@dataclass(frozen=True)
class Part:
    """A part of a network at its size.

    Attributes:
        kind: what it is.
        size: the map that it reads; of a stem the image.
        width: channels that it reads; of a stem those that it gives.
        outputs: channels that a downsampling gives, classes of a head, hidden channels of a block.
        type: of the block, the downsampling or the stem; where a head has its norm.
        patch_size: of a stem.
        mixer: of a block.
        shifted: whether the tiles of a block's windows are moved.
    """

    kind: Kind
    size: MapSize
    width: int
    outputs: int
    type: str
    patch_size: int = 0
    mixer: Mixer | None = None
    shifted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values; `from_dict` reads them back."""
        plain: dict[str, Any] = {
            "kind": self.kind,
            "size": [self.size.height, self.size.width],
            "width": self.width,
            "outputs": self.outputs,
            "type": self.type,
        }
        if self.kind == "stem":
            plain["patch_size"] = self.patch_size
        if self.mixer is not None:
            plain |= {"mixer": self.mixer.to_dict(), "shifted": self.shifted}
        return plain

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], where: str = "part") -> "Part":
        """What `to_dict` made.

        Raises:
            InputError: for what is no part.
        """
        try:
            rest = {n: v for n, v in values.items() if n not in ("size", "mixer")}
            mixer = values.get("mixer")
            made = cls(**rest, size=MapSize(*values["size"]), mixer=_mixer(mixer, where))
        except (TypeError, KeyError, AttributeError) as error:
            raise InputError.of(where, f"is no part of a network ({error})") from None
        return made

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, as searchers ask for the parts of thousands of networks."""
        return hash((self.kind, self.size, self.width, self.outputs, self.type, self.mixer))

    @cached_property
    def id(self) -> str:
        """16 hexadecimal digits that are the same for equal parts."""
        return digest(self.to_dict())

    @property
    def words(self) -> str:
        """Such as "block conv DW-S Conv. k7 at 14×14×96"."""
        what = f" {self.mixer.label}" if self.mixer is not None else ""
        return f"{self.kind} {self.type}{what} at {self.size.height}×{self.size.width}×{self.width}"


def _mixer(values: Any, where: str) -> Mixer | None:
    if values is None:
        return None
    if "custom" in values:
        return CustomMixer.from_dict(values, f"{where}.mixer")
    return Mixer.from_dict(values, f"{where}.mixer")


@lru_cache(1 << 14)
def stem_part(image: Input, stem: Stem, width: int) -> Part:
    """The stem of a network whose first stage has so many channels."""
    size = MapSize(image.height, image.width)
    return Part("stem", size, width, image.channels, stem.type, stem.patch_size)


@lru_cache(1 << 14)
def downsample_part(size: MapSize, before: int, after: int, kind: Downsample) -> Part:
    """From a map of this size to the next stage."""
    return Part("downsample", size, before, after, kind)


@lru_cache(1 << 14)
def head_part(size: MapSize, width: int, classes: int, norm: str) -> Part:
    """From the last map to logits."""
    return Part("head", size, width, classes, norm)


@lru_cache(1 << 17)
def block_part(
    block_type: BlockType, mixer: Mixer, block: int, width: int, hidden: int, size: MapSize
) -> Part:
    """The block at a place of a stage; the place matters where window tiles are moved."""
    moved = mixer.locality == "window" and not isinstance(mixer, CustomMixer)
    return Part("block", size, width, hidden, block_type, 0, mixer, bool(moved and block % 2 == 1))


def parts_of(architecture: Architecture) -> Counter[Part]:
    """How often a network has each of its parts."""
    stages, sizes, head = architecture.stages, architecture.stage_sizes(), architecture.head
    found = Counter((stem_part(architecture.input, architecture.stem, stages[0].width),))
    for index, (stage, size) in enumerate(zip(stages, sizes, strict=True)):
        if index:
            before = stages[index - 1].width
            kind = architecture.downsample
            found[downsample_part(sizes[index - 1], before, stage.width, kind)] += 1
        around = (stage.width, stage.hidden_width, size)
        for block, mixer in enumerate(stage.block_mixers()):
            found[block_part(architecture.block_type, mixer, block, *around)] += 1
    found[head_part(sizes[-1], stages[-1].width, head.classes, head.norm)] += 1
    return found


def parts_of_space(space: DesignSpace) -> Iterator[Part]:
    """Every part that a network of the space may have, once; its limits play no part here."""
    return iter(dict.fromkeys(_parts_of_space(space)))


def _parts_of_space(space: DesignSpace) -> Iterator[Part]:
    frame, head = space.frame, space.frame.head
    for patch, stages in space.stage_options.items():
        for width in stages[0].widths:
            yield stem_part(frame.input, frame.stem(patch), width)
        for before, after in itertools.pairwise(stages):
            for width, wider in itertools.product(before.widths, after.widths):
                yield downsample_part(before.size, width, wider, frame.downsample)
        for width in stages[-1].widths:
            yield head_part(stages[-1].size, width, head.classes, head.norm)
        for options in stages:
            yield from _blocks(options, space.block_types)


def _blocks(options: StageOptions, block_types: Sequence[BlockType]) -> Iterator[Part]:
    for width, depth, ratio in options.shapes():
        hidden, step = hidden_width(width, ratio), options.pattern_length(depth)
        for place in range(step):
            for mixer in options.choices(width, depth, place):
                for block in range(place, depth, step):
                    around = (at_block(mixer, block), block, width, hidden, options.size)
                    yield from (block_part(type_, *around) for type_ in block_types)
