"""Table 1 of the paper, read off W: sparse, shared and dynamic, whatever the mixer's fields say.

Needs torch; the rest of `space.structure` does not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from space.geometry import MapSize
from space.mixer import Mixer
from space.operators import TokenMixer
from space.reference import mixing_matrix

_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Table1Row:
    """A row of Table 1.

    Attributes:
        sparse_positions: `–` if all positions are connected, `✓` if some are not, `✓ (full)` if
            none is with another.
        sparse_channels: `–` or `✓`, likewise.
        shared_positions: `✓` if W depends on q − p only.
        shared_channels: `✓` if all channels have equal weights, `✓ per head` (attention and
            static weights) or `✓ per group` (generated weights) if those of several sets have.
        dynamic: `✓` if W depends on x.
    """

    sparse_positions: str
    sparse_channels: str
    shared_positions: str
    shared_channels: str
    dynamic: str


def row_of(matrices: tuple[Tensor, Tensor], size: MapSize, set_name: str = "head") -> Table1Row:
    """The row of W.

    Args:
        matrices: (positions, d, positions, d), the W of one operator for two images.
        size: the map of the positions.
        set_name: what the paper calls the channels that have equal weights.
    """
    first, second = matrices
    blocks = first.permute(0, 2, 1, 3)
    connected = blocks.ne(0).any(3).any(2)
    alone = torch.equal(connected, torch.eye(len(connected), dtype=torch.bool))
    between_channels = first.ne(0).any(2).any(0)
    return Table1Row(
        sparse_positions="✓ (full)" if alone else _mark(not connected.all()),
        sparse_channels=_mark(not between_channels.all()),
        shared_positions=_mark(_depends_on_offset_only(blocks, connected, size)),
        shared_channels=_shared_channels(first, set_name),
        dynamic=_mark(not torch.allclose(first, second)),
    )


def _mark(holds: object) -> str:
    return "✓" if holds else "–"


def _depends_on_offset_only(blocks: Tensor, connected: Tensor, size: MapSize) -> bool:
    """Whether connected pairs with the same q − p have the same block."""
    number = torch.arange(size.positions)
    row, column = number // size.width, number % size.width
    down, right = row[None] - row[:, None], column[None] - column[:, None]
    offset = (down * 4 * size.width + right)[connected]
    entries = blocks[connected]
    return all(
        bool(torch.allclose(same, same[:1].expand_as(same)))
        for same in (entries[offset == value] for value in offset.unique())
    )


def _shared_channels(matrix: Tensor, set_name: str) -> str:
    """How many different weights the channels have on their own."""
    own = torch.diagonal(matrix, dim1=1, dim2=3).flatten(0, 1).T
    alike = torch.cdist(own, own) < _TOLERANCE
    sets = len({tuple(line) for line in alike.tolist()})
    if sets == len(own):
        return "–"
    return "✓" if sets == 1 else f"✓ per {set_name}"


def computed_row(mixer: Mixer, width: int, size: MapSize, seed: int = 0) -> Table1Row:
    """The row of a mixer, from the W of an operator with random parameters.

    Args:
        mixer: of rank full, so that W is the sum itself.
        width: channels of the map.
        size: the map.
        seed: of the parameters and images.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        operator = TokenMixer(mixer, width, size).double().eval()
        for parameter in operator.parameters():
            nn.init.normal_(parameter, std=0.5)
        shape = (2, width, size.height, size.width)
        one, other = torch.randn(shape, dtype=torch.float64)
        with torch.no_grad():
            cores = [mixing_matrix(operator, image, image).core for image in (one, other)]
    return row_of((cores[0], cores[1]), size, mixer.dynamics.source.set_name)


TABLE_1: dict[str, Mixer] = {
    "MLP": Mixer.named("MLP"),
    "Convolution": Mixer.named("Conv.", kernel_size=3),
    "1×1 convolution": Mixer.named("Conv.", kernel_size=1),
    "Spatial-mixing MLP": Mixer.named("Sep. MLP"),
    "Attention (global)": Mixer.named("ViT", heads=2),
    "Local MLP": Mixer.named("Local MLP", kernel_size=2, heads=2),
    "Local attention": Mixer.named("Local ViT", kernel_size=2, heads=2),
    "DW-Conv.": Mixer.named("DW-S Conv.", kernel_size=3),
    "D-DW-Conv.": Mixer.named("Dynamic DW-S Conv.", kernel_size=3, generator_ratio=1),
    "I-D-DW-Conv.": Mixer.named("Dynamic Local-S MLP", kernel_size=3, heads=2, generator_ratio=1),
}
"""The structures of Table 1, each as the smallest mixer that shows its row."""


def table_1(width: int = 8, size: MapSize | None = None) -> dict[str, Table1Row]:
    """Table 1 computed: the row of each structure by name."""
    size = size or MapSize(4, 5)
    return {name: computed_row(mixer, width, size) for name, mixer in TABLE_1.items()}
