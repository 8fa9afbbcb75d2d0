"""Building the network that an architecture describes."""

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module

import torch
from torch import Tensor, nn

from space.architecture import Architecture, Stage, refuse_other_than_architecture
from space.errors import InputError, refuse
from space.geometry import MapSize
from space.networks.blocks import BLOCKS, BlockPlan
from space.networks.checkpointing import switched, through_blocks
from space.networks.initialisation import WeightInit, initialise
from space.networks.stem_and_head import DOWNSAMPLES, Head, PatchStem
from space.operators.layers import rate_problems


class Network(nn.Module):
    """The network of an architecture: stem, stages with downsampling between them, head.

    Args:
        architecture: what to build.
        drop_path_rate: stochastic depth of the last block; it grows linearly from 0.

    Raises:
        InputError: for a rate outside [0, 1).
    """

    def __init__(self, architecture: Architecture, drop_path_rate: float = 0.0) -> None:
        super().__init__()
        refuse(rate_problems("drop_path_rate", drop_path_rate))
        self.architecture = architecture
        self.grad_checkpointing = False
        stages = architecture.stages
        step = drop_path_rate / max(1, architecture.depth - 1)
        rates = (step * block for block in itertools.count())
        shape = architecture.input
        self.stem = PatchStem(shape.channels, stages[0].width, architecture.stem)
        self.stages = nn.ModuleList(
            self._stage(stage, size, rates)
            for stage, size in zip(stages, architecture.stage_sizes(), strict=True)
        )
        downsample = DOWNSAMPLES[architecture.downsample]
        self.downsamples = nn.ModuleList(
            downsample(before.width, after.width) for before, after in itertools.pairwise(stages)
        )
        head = architecture.head
        self.head = Head(stages[-1].width, head.classes, norm_first=head.norm == "before")

    def _stage(self, stage: Stage, size: MapSize, rates: Iterator[float]) -> nn.Sequential:
        scale = self.architecture.layer_scale
        plans = (
            BlockPlan(
                mixer, stage.width, size, stage.hidden_width, index % 2 == 1, next(rates), scale
            )
            for index, mixer in enumerate(stage.block_mixers())
        )
        return nn.Sequential(*map(BLOCKS[self.architecture.block_type], plans))

    def forward_stages(self, images: Tensor, count: int | None = None) -> list[Tensor]:
        """(B, channels, height, width) images to the maps after the first `count` stages."""
        maps: list[Tensor] = []
        x = self.stem(images)
        for index, stage in enumerate(self.stages[:count]):
            if index:
                x = self.downsamples[index - 1](x)
            x = through_blocks(stage, x, self.grad_checkpointing)
            maps.append(x)
        return maps

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Keep only the input of each block for the gradients, and compute the rest once more.

        Results, gradients, drop path and the statistics of batch norms stay what they are.

        Raises:
            InputError: for what is neither true nor false.
        """
        self.grad_checkpointing = switched(enable)

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def set_input_size(
        self,
        img_size: int | Sequence[int] | None = None,
        window_size: int | Sequence[int | None] | None = None,
    ) -> None:
        """Makes it a network for images of another size, its weights carried over.

        Call it before an optimiser is made, as some parameters may be new ones: where a map is
        smaller than a window or a kernel, what is left of it; where windows change, the tables of
        relative positions. `architecture` is that of the network as it stands.

        Args:
            img_size: an edge or (height, width), in pixels; None leaves it.
            window_size: of attention in windows, for all stages or one a stage, None leaving it.
                Windows keep their size unless it is given. Tables of relative positions are
                interpolated as timm does for Swin.

        Raises:
            InputError: naming every block whose weights are for one size only, such as those of an
                MLP over all positions; the network then stays as it is.
        """
        # By its name: it is made of lifting, which knows networks.
        import_module("space.morphisms.resize").resize(self, img_size, window_size)

    @torch.jit.ignore  # type: ignore[untyped-decorator]
    def no_weight_decay(self) -> set[str]:
        """Names of the parameters that weight decay leaves out besides those of one dimension.

        timm's word for it. Every part says it of its own parameters.
        """
        return {
            f"{place}.{name}"
            for place, part in self.named_modules()
            if place and hasattr(part, "no_weight_decay")
            for name in part.no_weight_decay()
        }

    def forward(self, images: Tensor) -> Tensor:
        """(B, channels, height, width) images to (B, classes) logits."""
        logits: Tensor = self.head(self.forward_stages(images)[-1])
        return logits


def build(
    architecture: Architecture,
    drop_path_rate: float = 0.0,
    weight_init: WeightInit = "published",
    *,
    seed: int | None = None,
) -> Network:
    """The network of an architecture, freshly initialised, in train mode.

    Args:
        architecture: what to build.
        drop_path_rate: stochastic depth of the last block; it grows linearly from 0.
        weight_init: the first weights, see `space.networks.initialisation`.
        seed: of the first weights, 0 to 2^63 − 1; torch's global generator stays as it is. None
            draws them from that.

    Raises:
        InputError: for what is no architecture, a rate outside [0, 1), another kind of first
            weights, and another seed.
    """
    refuse_other_than_architecture(architecture)
    with _drawing_from(seed):
        network = Network(architecture, drop_path_rate)
        initialise(network, weight_init)
    return network


@contextmanager
def _drawing_from(seed: int | None) -> Iterator[None]:
    if seed is None:
        yield
        return
    if type(seed) is not int or not 0 <= seed < 2**63:
        raise InputError.of("seed", f"must be a whole number from 0, or None; got {seed!r:.80}")
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)  # and no generator of a GPU's
        yield
