"""What of a network is drawn, and how on a terminal: what a position and a channel read."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from space.architecture import Architecture
from space.axes import Rank
from space.cli.output import stdout_can_carry
from space.cost import cost
from space.geometry import MapSize, target_size, tile_offset
from space.mixer import Mixer
from space.structure.connectivity import BoolArray, reach
from space.structure.entries import ZERO, channel_entries
from space.wording import count, short

MOST_CHANNELS = 32
_IN_ASCII = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): ":"}
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_FEW = 16


def position_mask(mixer: Mixer, size: MapSize, shifted: bool = False) -> BoolArray:
    """(height, width) over the sources: what the target nearest to the middle of the map reads.

    It is the sum itself that is drawn: for rank spatial the sources are reduced R×R.
    """
    targets = target_size(mixer, size)
    middle = targets.height // 2, targets.width // 2
    return reach(mixer, size, middle, shifted, factors=False)


def channel_mask(mixer: Mixer, width: int) -> BoolArray:
    """Which channels (columns) each channel (rows) reads, of the first ones of a wide map."""
    mask: BoolArray = channel_entries(mixer, width, first=MOST_CHANNELS) != ZERO
    return mask


def mixers_of(architecture: Architecture) -> list[list[tuple[Mixer, bool, int]]]:
    """For each stage its distinct mixers: (mixer, whether its tiles are moved, blocks)."""
    stages = []
    for stage, size in zip(architecture.stages, architecture.stage_sizes(), strict=True):
        found: dict[tuple[Mixer, bool], int] = {}
        for block, mixer in enumerate(stage.block_mixers()):
            moved = tile_offset(mixer, size, block % 2 == 1) != (0, 0)
            found[mixer, moved] = found.get((mixer, moved), 0) + 1
        stages.append([(mixer, moved, blocks) for (mixer, moved), blocks in found.items()])
    return stages


def in_words(mixer: Mixer, shifted: bool) -> str:
    """What a mask cannot show: the factors around it, where weights are tied and come from."""
    words = [f"sharing {mixer.sharing}", f"{mixer.dynamics} weights"]
    if mixer.rank is Rank.JOINT:
        words.append("all of it as two thin factors")
    elif mixer.rank is not Rank.FULL:
        words.append(f"rank {mixer.rank}")
    return ", ".join([*words, *(["tiles moved"] if shifted else [])])


def mask_text(mask: BoolArray) -> str:
    """A mask as half blocks in a frame, two rows to a line."""
    halves = _HALVES if stdout_can_carry("".join(_HALVES.values())) else _IN_ASCII
    rows = [list(map(bool, row)) for row in mask]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    bar = "─" * len(rows[0])
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ["│" + "".join(halves[p] for p in zip(a, b, strict=True)) + "│" for a, b in pairs]
    return "\n".join([f"┌{bar}┐", *lines, f"└{bar}┘"])


def mixer_text(mixer: Mixer, width: int, size: MapSize, shifted: bool, blocks: int) -> Group:
    """The two masks of a mixer beside each other, with what they show."""
    positions = position_mask(mixer, size, shifted)
    channels = channel_mask(mixer, width)[:_FEW, :_FEW]
    table = Table.grid(padding=(0, 3))
    table.add_row(Text(mask_text(positions)), Text(mask_text(channels)))
    table.add_row(
        Text(f"read by the middle, of {edges_text(positions)}"),
        Text(f"channels, {channels_text(channels, width)}"),
    )
    words = f"{mixer.label}  ({count(blocks, 'block')}; {in_words(mixer, shifted)})"
    return Group(Text(words), table)


def edges_text(mask: BoolArray) -> str:
    """Such as "14×14"."""
    return "×".join(map(str, mask.shape))


def channels_text(channels: BoolArray, width: int) -> str:
    """How many of the channels a mask shows."""
    number = channels.shape[0]
    return f"the first {number} of {width}" if number < width else f"all {width}"


def headline(name: str, architecture: Architecture) -> str:
    """One line about a network."""
    spent, image = cost(architecture), architecture.input
    return (
        f"{name}: {architecture.name}, {architecture.block_type} blocks, {spent.params:,} params, "
        f"{short(spent.macs)} MACs at {image.channels}×{image.height}×{image.width}"
    )


def stage_lines(architecture: Architecture) -> list[str]:
    """One line about each stage."""
    return [
        f"Stage {index}: map {size.height}×{size.width}, {count(stage.depth, 'block')} of width "
        f"{stage.width}, MLP ratio {stage.mlp_ratio:g}"
        for index, (stage, size) in enumerate(
            zip(architecture.stages, architecture.stage_sizes(), strict=True), 1
        )
    ]


def network_text(name: str, architecture: Architecture) -> Group:
    """A network for a terminal."""
    parts: list[RenderableType] = [Text(headline(name, architecture))]
    for line, stage, size, mixers in zip(
        stage_lines(architecture),
        architecture.stages,
        architecture.stage_sizes(),
        mixers_of(architecture),
        strict=True,
    ):
        parts.append(Text(f"\n{line}", style="bold"))
        parts += [mixer_text(m, stage.width, size, moved, n) for m, moved, n in mixers]
    return Group(*parts)
