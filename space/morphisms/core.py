"""The weighted sum inside a mixer's rank wrapper, apart from the layout that its operator keeps.

`read` takes a core out of an operator, `write` puts one into an operator. Between the two, lifting
only changes the numbering of the entries and multiplies values.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from space.inclusion.correspondence import FREE, of_channels, of_positions
from space.inclusion.numbers import Numbers, embedded, repeated
from space.morphisms.layouts import packed, unpacked
from space.morphisms.placed import placed
from space.morphisms.tensors import looked_up, split_over_copies, to_device
from space.operators import TokenMixer
from space.operators.weights import HomogeneousWeights, InhomogeneousWeights, StaticWeights
from space.structure.entries import IntArray

Generator = HomogeneousWeights | InhomogeneousWeights


@dataclass(frozen=True)
class Core(Numbers):
    """Free entries: their numbers and their values.

    Attributes:
        values: (channel entries, position entries, H) with H = 1, or hidden + 1 where the
            entries are made by a generator: its linear map and, last, its bias.
        reads: (hidden, d), the generator's first map; None where the weights are parameters.
        generator: the module with the generator's batch norm and bias.
    """

    values: Tensor
    reads: Tensor | None = None
    generator: Generator | None = None

    @classmethod
    def at(cls, numbers: Numbers, values: Tensor) -> "Core":
        """Entries that are parameters."""
        return cls(numbers.positions, numbers.targets, numbers.sources, numbers.channels, values)

    def repeated(self, copies: int) -> "Core":
        """On a map where each channel stands `copies` times in a row: copy j reads copy j."""
        reads = None if self.reads is None else split_over_copies(self.reads, copies)
        return replace(self, channels=repeated(self.channels, copies), reads=reads)

    def embedded(self, places: IntArray, width: int) -> "Core":
        """On more channels: channel i stands at places[i], the others are free outputs."""
        channels = embedded(self.channels, places, width)
        if self.reads is None:
            return replace(self, channels=channels)
        reads = self.reads.new_zeros(self.reads.shape[0], width)
        reads[:, to_device(places, reads)] = self.reads
        return replace(self, channels=channels, reads=reads)

    def dense_values(self) -> Tensor:
        """(d, d, position entries, H), zero between channels that are not connected."""
        return looked_up(self.values, self.channels)


def one_source_attention(operator: TokenMixer) -> Core:
    """The core of an attention that reaches one source: the softmax of one logit is 1."""
    one = next(operator.parameters()).new_ones(1, 1, 1)
    return Core.at(Numbers.of(placed(operator)), one)


def read(operator: TokenMixer) -> Core:
    """The core of an operator whose weights are not those of attention."""
    assert operator.mixing is not None
    source, numbers = operator.mixing.weights, Numbers.of(placed(operator))
    if isinstance(source, StaticWeights):
        return Core.at(numbers, unpacked(operator.plan, source.weight.detach()).unsqueeze(-1))
    assert isinstance(source, Generator)
    assert source.expand.bias is not None
    made = [source.expand.weight[:, :, 0, 0], source.expand.bias[:, None]]
    taps = placed(operator).entries.taps
    core = Core.at(numbers, torch.cat(made, 1).detach().unflatten(0, (-1, taps)))
    return replace(core, reads=source.reduce.weight.detach()[:, :, 0, 0], generator=source)


def write(special: Core, operator: TokenMixer) -> None:
    """Makes the operator's core compute what the special core computes.

    Raises:
        InputError: if that cannot be.
    """
    general = read(operator)
    values = _taken(special, general)
    source = operator.mixing.weights if operator.mixing else None
    if isinstance(source, StaticWeights):
        source.weight.copy_(packed(operator.plan, values[:, :, 0]))
    elif isinstance(source, Generator):
        if special.generator is not None and special.reads is not None:
            _copy_generator(special.reads, special.generator, source)
        flat = values.flatten(0, 1)
        assert source.expand.bias is not None
        source.expand.weight.copy_(flat[:, :-1, None, None])
        source.expand.bias.copy_(flat[:, -1])


def _taken(special: Core, general: Core) -> Tensor:
    """The general core's values with the special one's in their places."""
    channels = of_channels(special.channels, general.channels)
    count = general.values.shape[1]
    positions = of_positions(
        special.positions, general.positions, count, general.targets, general.sources
    )
    hidden = general.values.shape[2] - 1
    asked = np.flatnonzero(channels != FREE)
    found = looked_up(special.values, channels[asked]).transpose(0, 1)
    found = looked_up(found, positions).transpose(0, 1)
    # What the general generator's further hidden channels give is zero; the constant comes last.
    spare = found.new_zeros(*found.shape[:2], hidden + 1 - found.shape[2])
    values = general.values.clone()
    values[to_device(asked, values)] = torch.cat([found[..., :-1], spare, found[..., -1:]], 2)
    return values


def _copy_generator(reads: Tensor, special: Generator, general: Generator) -> None:
    """The first hidden channels become the special ones; the others stay as they are, unread."""
    hidden = reads.shape[0]
    general.reduce.weight[:hidden].copy_(reads[:, :, None, None])
    if general.reduce.bias is not None and special.reduce.bias is not None:
        general.reduce.bias[:hidden].copy_(special.reduce.bias)
    copy_norm(special.norm, general.norm, hidden)


def copy_norm(special: nn.BatchNorm2d, general: nn.BatchNorm2d, count: int) -> None:
    """Weights and running statistics of the first `count` channels."""
    for name, value in special.state_dict().items():
        target = general.state_dict()[name]
        target[:count].copy_(value) if target.dim() else target.copy_(value)
