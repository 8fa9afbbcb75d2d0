"""The weighted sum inside a mixer's rank factors, apart from the layout that its operator keeps.

`read` takes a core out of an operator, `write` puts one into an operator. Between the two, lifting
only changes the numbering of the entries and multiplies values.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from space.inclusion.entry_numbers import (
    FREE,
    EntryNumbers,
    embedded,
    of_channels,
    of_positions,
    repeated,
)
from space.inclusion.mixer_on_map import MixerOnMap
from space.layout import Layout, Plan
from space.operators import TokenMixer
from space.operators.weight_sources import GeneratedWeights, StaticWeights
from space.structure.entries import IntArray


@dataclass(frozen=True)
class Core(EntryNumbers):
    """Free entries: their numbers and their values.

    Attributes:
        values: (channel entries, position entries, H) with H = 1, or hidden + 1 where the
            entries are made by a generator: its linear map and, last, its bias.
        reads: (hidden, d), the generator's first map; None where the weights are parameters.
        generator: the module with the generator's batch norm and bias.
    """

    values: Tensor
    reads: Tensor | None = None
    generator: GeneratedWeights | None = None

    @classmethod
    def at(cls, numbers: EntryNumbers, values: Tensor) -> "Core":
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
    return Core.at(EntryNumbers.of(on_map(operator)), one)


def read(operator: TokenMixer) -> Core:
    """The core of an operator whose weights are not those of attention."""
    assert operator.mixing is not None
    source, numbers = operator.mixing.weights, EntryNumbers.of(on_map(operator))
    if isinstance(source, StaticWeights):
        return Core.at(numbers, unpacked(operator.plan, source.weight.detach()).unsqueeze(-1))
    assert isinstance(source, GeneratedWeights)
    assert source.expand.bias is not None
    made = [source.expand.weight[:, :, 0, 0], source.expand.bias[:, None]]
    taps = on_map(operator).entries.taps
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
    elif isinstance(source, GeneratedWeights):
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


def _copy_generator(reads: Tensor, special: GeneratedWeights, general: GeneratedWeights) -> None:
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


def to_device(array: NDArray[Any], like: Tensor) -> Tensor:
    """A NumPy array as a tensor on the device of another."""
    return torch.from_numpy(array).to(like.device)


def looked_up(values: Tensor, numbers: IntArray) -> Tensor:
    """The rows of `values` with these numbers, zeros where a number is negative."""
    there = to_device(numbers >= 0, values).to(values.dtype)
    rows = values[to_device(np.maximum(numbers, 0), values)]
    return rows * there.reshape(*there.shape, *[1] * (values.dim() - 1))


def split_over_copies(weight: Tensor, copies: int) -> Tensor:
    """(outputs, inputs, ...) for inputs that each stand `copies` times in a row.

    The copies share every weight unevenly, by chance: the sum stays, but their gradients differ, so
    that training parts channels that even shares would keep equal for ever.
    """
    if copies == 1:
        return weight
    chances = 1 + torch.rand(*weight.shape[:2], copies, device=weight.device, dtype=weight.dtype)
    shares = chances / chances.sum(2, keepdim=True)
    shares = shares.reshape(*shares.shape, *[1] * (weight.dim() - 2))
    return (weight.unsqueeze(2) * shares).flatten(1, 2)


def unpacked(plan: Plan, weight: Tensor) -> Tensor:
    """A static parameter as (channel entries, place · taps + tap)."""
    if plan.layout is Layout.NEIGHBOURHOOD:
        weight = torch.unflatten(weight, 1, (plan.inputs, -1)).transpose(2, 3)
    if plan.layout is Layout.TILE:
        weight = torch.unflatten(weight, 2, (plan.inputs, -1)).transpose(1, 2)
    return weight.flatten(2).flatten(0, 1)


def packed(plan: Plan, values: Tensor) -> Tensor:
    """The inverse of `unpacked`."""
    outputs, inputs = plan.outputs, plan.inputs
    if plan.layout is Layout.NEIGHBOURHOOD:
        values = values.reshape(outputs, inputs, plan.targets.positions, plan.taps)
        values = values.transpose(2, 3)
    if plan.layout is Layout.TILE:
        values = values.reshape(outputs, inputs, -1, plan.taps).transpose(1, 2)
    return values.reshape(plan.static_shape)


def on_map(operator: TokenMixer) -> MixerOnMap:
    """The mixer with its map, as its inclusions are decided."""
    return MixerOnMap(operator.mixer, operator.width, operator.size, operator.plan.shifted)
