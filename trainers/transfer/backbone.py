"""Any network of the space as a backbone: the maps of its stages, of images of any size."""

from collections import OrderedDict
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from space import Architecture
from space.errors import Problem, refuse
from space.morphisms.any_size import AnySize, any_size_problems
from space.networks import build
from space.operators.layers import LayerNorm, padded_to_multiple
from trainers.transfer.recipe import TransferRecipe
from trainers.transfer.source import BackboneSource

_LUMINANCE = (0.299, 0.587, 0.114)
"""Of red, green and blue, by ITU-R BT.601, as Pillow makes a picture grey."""


class Backbone(nn.Module):
    """The stages of a network: images to one map a stage, the finest first.

    Images are padded with zeros, below and to the right, to a multiple of the coarsest stride, so
    that each map has exactly its share of the positions. A network for grey images sees the
    luminance of coloured ones.

    Args:
        source: the network, and the weights that it begins with.
        recipe: of which first weights, drop path, batch norms and checkpointing are taken.
        frozen: nothing of the network is trained, and it stays in evaluation mode.
        norms: whether each map is normalised over its channels by a layer norm that is trained, as
            Swin's and ConvNeXt's backbones of detection do; the last blocks of residual stages have
            no norm behind them. UPerNet's decoder has such norms itself.

    Attributes:
        strides: pixels between two positions of each map. widths: channels of each map.

    Raises:
        InputError: the network cannot take images of any size, or none of three colours.
    """

    def __init__(
        self, source: BackboneSource, recipe: TransferRecipe, *, frozen: bool, norms: bool
    ) -> None:
        super().__init__()
        refuse(channel_problems(source.architecture))
        rate = 0.0 if frozen else recipe.drop_path
        network = build(source.architecture, rate, recipe.weight_init)
        refuse(any_size_problems(network))
        if source.weights is not None:
            network.load_state_dict(dict(source.weights))
        network.head = nn.Identity()  # type: ignore[assignment]
        if recipe.grad_checkpointing and not frozen:
            network.set_grad_checkpointing()
        self.network, self.frozen = network, frozen
        # Random weights have no statistics to keep.
        self.keeps_statistics = recipe.batch_norm == "running" and source.weights is not None
        stages = source.architecture.stages
        patch = source.architecture.stem.patch_size
        self.strides = tuple(patch * 2**place for place in range(len(stages)))
        self.widths = tuple(stage.width for stage in stages)
        self.norms = nn.ModuleList(LayerNorm(width) for width in self.widths) if norms else None
        self._sizes = AnySize(network)
        if frozen:
            network.requires_grad_(False)
        self.train(self.training)

    def forward(self, images: Tensor) -> "OrderedDict[str, Tensor]":
        """(B, 3, height, width), normalised, to maps (B, C, ⌈height/stride⌉, ⌈width/stride⌉).

        They are named "0", "1" and so on, as torchvision's pyramid and pooling want it.
        """
        x = padded_to_multiple(self._as_trained(images), self.strides[-1])
        self._sizes.fit(x.shape[2], x.shape[3])
        maps = self.network.forward_stages(x)
        if self.norms is not None:
            maps = [norm(each) for norm, each in zip(self.norms, maps, strict=True)]
        return OrderedDict((str(place), each) for place, each in enumerate(maps))

    def _as_trained(self, images: Tensor) -> Tensor:
        if self.network.architecture.input.channels == 3:
            return images
        weights = torch.tensor(_LUMINANCE, dtype=images.dtype, device=images.device)
        return (images * weights[:, None, None]).sum(1, keepdim=True)

    def train(self, mode: bool = True) -> "Backbone":
        """Train mode, but for what is frozen, and for what keeps its statistics."""
        super().train(mode)
        if self.frozen:
            self.network.eval()
        elif self.keeps_statistics:
            for norm in self._batch_norms():
                norm.eval()
        return self

    def _batch_norms(self) -> Iterator[_BatchNorm]:
        return (part for part in self.network.modules() if isinstance(part, _BatchNorm))

    def no_weight_decay(self) -> set[str]:
        """What the network leaves out of weight decay, under the names here."""
        return {f"network.{name}" for name in self.network.no_weight_decay()}

    def _apply(self, fn, recurse=True):  # type: ignore[no-untyped-def]
        # Kept mixers share parameters, but statistics and masks of theirs stay where they were.
        self._sizes.forget()
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]


def channel_problems(architecture: Architecture) -> list[Problem]:
    """Why a network cannot see pictures of three colours."""
    channels = architecture.input.channels
    if channels in (1, 3):
        return []
    message = f"{channels} is not allowed: pictures have three colours, or are made grey for 1"
    return [Problem("architecture.input.channels", message)]


def size_problems(architecture: Architecture) -> list[Problem]:
    """Why a network cannot take images of any size; its weights are drawn nowhere."""
    with torch.device("meta"):
        network = build(architecture)
    found = any_size_problems(network)
    return [Problem(f"architecture.{each.where}", each.message) for each in found]


def refuse_as_backbone(architecture: Architecture, least_stages: int = 1) -> None:
    """Refuse a network that is no backbone, before anything is loaded.

    Args:
        architecture: of the network.
        least_stages: that the model needs.

    Raises:
        InputError: with every reason.
    """
    problems = [*channel_problems(architecture), *size_problems(architecture)]
    stages = len(architecture.stages)
    if stages < least_stages:
        message = f"{stages} is not enough: this model needs maps of {least_stages} scales"
        problems.append(Problem("architecture.stages", message))
    refuse(problems)
