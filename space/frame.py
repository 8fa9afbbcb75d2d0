"""What all networks of a design space have in common: image, stem, downsampling, head, options."""

from dataclasses import dataclass

from space.architecture import (
    LAYER_SCALE,
    Architecture,
    BlockType,
    Downsample,
    Head,
    Input,
    Stage,
    Stem,
    StemType,
)
from space.errors import Problem


@dataclass(frozen=True, slots=True)
class Frame:
    """The networks of a space without what is chosen: patch size, type of block and stages.

    Attributes:
        input, head, downsample, layer_scale: see `Architecture`.
        stem_type: see `Stem`.
    """

    input: Input
    head: Head
    downsample: Downsample = "merge"
    stem_type: StemType = "patch"
    layer_scale: float = LAYER_SCALE

    def stem(self, patch_size: int) -> Stem:
        """The stem with patches of a size."""
        return Stem(patch_size, self.stem_type)

    def architecture(
        self, patch_size: int, block_type: BlockType, stages: tuple[Stage, ...]
    ) -> Architecture:
        """The network with these choices."""
        return Architecture(
            self.input,
            self.stem(patch_size),
            block_type,
            stages,
            self.head,
            self.downsample,
            self.layer_scale,
        )

    def problems(self, architecture: Architecture) -> list[Problem]:
        """The fields in which a network is not of this frame."""
        scaled = architecture.block_type == "convnext"
        fields = (
            ("input", architecture.input, self.input),
            ("stem.type", architecture.stem.type, self.stem_type),
            ("head", architecture.head, self.head),
            ("downsample", architecture.downsample, self.downsample),
            ("layer_scale", architecture.layer_scale, self.layer_scale if scaled else LAYER_SCALE),
        )
        return [
            Problem(name, f"is {found}, and this space has {wanted}")
            for name, found, wanted in fields
            if found != wanted
        ]
