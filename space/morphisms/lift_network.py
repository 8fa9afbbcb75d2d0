"""Lifting a whole network into a more general one, its output unchanged in eval mode.

Mixers are lifted by `space.morphisms.lift_mixer`. The rest follows three rules: further blocks add
nothing to their residual, further hidden channels of an MLP are not read, and a stage whose width
is m times as large keeps every channel m times. Copies leave the mean and the variance of a layer
norm as they are; any other width would change them, so only whole multiples are inclusions.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from space.architecture import Architecture
from space.errors import InputError
from space.inclusion import check_frame
from space.morphisms.core import split_over_copies
from space.morphisms.lift_mixer import lift_operator
from space.networks import Network, build
from space.networks.blocks import ConvBlock, Mlp, PrenormBlock
from space.networks.initialisation import WeightInit
from space.operators import CustomTokenMixer, TokenMixer


@torch.no_grad()
def lift(
    network: Network,
    child_architecture: Architecture,
    drop_path_rate: float = 0.0,
    weight_init: WeightInit = "published",
) -> Network:
    """A new network of the child's architecture that computes what the given one computes.

    Outputs are equal in eval mode, up to rounding (1e-5 in float32). Parameters that no output
    depends on yet, such as the inner layers of a further block, are freshly initialised, so that
    training can use them. Copied channels begin equal, but what reads them reads the copies in
    uneven shares, so that training parts them. All this draws from torch's global generator.

    Args:
        network: the trained parent; it is left as it is.
        child_architecture: for the same input, patches, blocks, downsampling and head; every
            stage at least as deep, as wide by a whole multiple, with an MLP at least as wide, and
            with mixers that contain the parent's block by block.
        drop_path_rate, weight_init: of the child, see `space.networks.build`.

    Returns:
        The child, on the parent's device, in its dtype and mode.

    Raises:
        InputError: naming the first thing that is not an inclusion.
    """
    check_frame(network.architecture, child_architecture)
    parameter = next(network.parameters())
    child = build(child_architecture, drop_path_rate, weight_init).to(
        parameter.device, parameter.dtype
    )
    for name, special, general in _parts(network, child):
        _lift_part(name, special, general)
    for stage, (few, many) in enumerate(zip(network.stages, child.stages, strict=True)):
        _lift_stage(list(few.children()), list(many.children()), f"stages[{stage}]")
    return child.train(network.training)


def _parts(special: Network, general: Network) -> Iterator[tuple[str, nn.Module, nn.Module]]:
    yield "stem", special.stem, general.stem
    pairs = zip(special.downsamples, general.downsamples, strict=True)
    for index, (old, new) in enumerate(pairs):
        yield f"downsamples[{index}]", old, new
    yield "head", special.head, general.head


def _lift_stage(few: list[nn.Module], many: list[nn.Module], where: str) -> None:
    for index, (special, general) in enumerate(zip(few, many, strict=False)):
        _lift_block(special, general, f"{where}.block[{index}]")
    for block in many[len(few) :]:
        silence(block)


def _lift_block(special: nn.Module, general: nn.Module, where: str) -> None:
    """Child by child; what a block keeps itself (the layer scale) with it."""
    _lift_own(special, general)
    for name, old in special.named_children():
        new = getattr(general, name)
        children = list(old.named_children()) if isinstance(old, nn.Sequential) else [("", old)]
        for place, part in children:
            _lift_part(f"{where}.{name}", part, new.get_submodule(place))


def _lift_part(where: str, special: nn.Module, general: nn.Module) -> None:
    if isinstance(special, TokenMixer) and isinstance(general, TokenMixer):
        try:
            lift_operator(special, general)
        except InputError as error:
            raise error.below(where) from None
    elif isinstance(special, CustomTokenMixer) and isinstance(general, CustomTokenMixer):
        general.load_state_dict(special.state_dict())
    elif isinstance(special, Mlp) and isinstance(general, Mlp):
        _lift_mlp(special, general)
    else:
        for old, new in zip(special.modules(), general.modules(), strict=True):
            _lift_own(old, new)


def _lift_own(special: nn.Module, general: nn.Module) -> None:
    """Parameters and statistics that the module itself holds."""
    own = [*general.parameters(False), *general.buffers(False)]
    for old, new in zip([*special.parameters(False), *special.buffers(False)], own, strict=True):
        new.copy_(widened(old, new.shape))


def widened(weight: Tensor, shape: torch.Size) -> Tensor:
    """A layer's tensor for channels that stand several times in a row.

    (outputs, inputs, ...) with outputs repeated, and inputs shared out over their copies, unevenly.
    """
    if weight.dim() == 0:
        return weight
    if weight.dim() > 1:
        shared = split_over_copies(weight, shape[1] // weight.shape[1])
        return shared.repeat_interleave(shape[0] // weight.shape[0], 0)
    return weight.repeat_interleave(shape[0] // weight.shape[0], 0)


def _lift_mlp(special: Mlp, general: Mlp) -> None:
    """The first hidden channels are the parent's; nothing reads the others yet."""
    hidden, width = special.expand.out_channels, general.expand.in_channels
    assert special.expand.bias is not None
    assert general.expand.bias is not None
    wide = torch.Size((hidden, width, 1, 1))
    general.expand.weight[:hidden] = widened(special.expand.weight, wide)
    general.expand.bias[:hidden] = special.expand.bias
    general.contract.weight.zero_()
    tall = torch.Size((width, hidden, 1, 1))
    general.contract.weight[:, :hidden] = widened(special.contract.weight, tall)
    if special.contract.bias is not None and general.contract.bias is not None:
        general.contract.bias[:] = widened(special.contract.bias, general.contract.bias.shape)


def silence(block: nn.Module) -> None:
    """Makes a block the identity: the last layer of each residual branch is zero."""
    last: list[nn.Module] = [
        module.contract for module in block.modules() if isinstance(module, Mlp)
    ]
    if isinstance(block, ConvBlock):
        last.append(block.mix[-1])
    if isinstance(block, PrenormBlock):
        last.append(block.project)
    for layer in last:
        for parameter in layer.parameters():
            parameter.zero_()
