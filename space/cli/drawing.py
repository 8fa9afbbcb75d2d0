"""What of a network is drawn, and how on a terminal: what a position and a channel read."""

from collections import Counter
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from space.architecture import Architecture, Stage
from space.axes import Rank
from space.cli.output import stdout_can_carry
from space.cost import cost
from space.custom import CustomMixer
from space.custom.marks import MARKED
from space.geometry import MapSize, target_size, tile_offset
from space.mixer import Mixer
from space.structure.connectivity import BoolArray, reach
from space.structure.entries import ZERO, channel_entries
from space.structure.marked import marked_channels
from space.wording import count, short

MOST_CHANNELS = 32
_IN_ASCII = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): ":"}
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_FEW = 16


@dataclass(frozen=True, slots=True)
class DrawnMixer:
    """A mixer with what of it is drawn.

    Attributes:
        mixer: the mixer.
        width, size: of its map.
        shifted: whether its tiles are moved.
        blocks: how many blocks of the stage have it.
    """

    mixer: Mixer
    width: int
    size: MapSize
    shifted: bool = False
    blocks: int = 1

    def positions(self) -> BoolArray:
        """(height, width) over the sources: what the target nearest to the middle reads.

        It is the sum itself that is drawn: for rank spatial the sources are reduced R×R.
        """
        targets = target_size(self.mixer, self.size)
        middle = targets.height // 2, targets.width // 2
        return reach(self.mixer, self.size, middle, self.shifted, factors=False)

    def channels(self) -> BoolArray:
        """Which channels (columns) each channel (rows) reads, of the first ones of a wide map."""
        if isinstance(self.mixer, CustomMixer):
            return marked_channels(self.mixer, self.width)[:MOST_CHANNELS, :MOST_CHANNELS]
        mask: BoolArray = channel_entries(self.mixer, self.width, first=MOST_CHANNELS) != ZERO
        return mask

    def words(self) -> str:
        """What a mask cannot show: the factors around it, where weights are tied and come from."""
        mixer = self.mixer
        if isinstance(mixer, CustomMixer):
            return _custom_words(mixer)
        words = [f"sharing {mixer.sharing}", f"{mixer.dynamics} weights"]
        if mixer.rank is Rank.JOINT:
            words.append("all of it as two thin factors")
        elif mixer.rank is not Rank.FULL:
            words.append(f"rank {mixer.rank}")
        return ", ".join([*words, *(["tiles moved"] if self.shifted else [])])


def _custom_words(mixer: CustomMixer) -> str:
    declared = {axis: mixer.mark(axis) for axis in MARKED}
    silent = [axis for axis, value in declared.items() if value is None]
    words = []
    if declared["sharing"] is not None:
        words.append(f"sharing {declared['sharing']}")
    if declared["dynamics"] is not None:
        words.append(f"{declared['dynamics']} weights")
    if silent:
        words.append(f"{' and '.join(silent)} undeclared")
    return ", ".join(["a mixer of your own", *words])


@dataclass(frozen=True, slots=True)
class DrawnStage:
    """A stage with its map, a line about it, and its distinct mixers."""

    stage: Stage
    size: MapSize
    line: str
    mixers: list[DrawnMixer]


def drawn_stages(architecture: Architecture) -> list[DrawnStage]:
    """The stages of a network."""
    stages = []
    pairs = zip(architecture.stages, architecture.stage_sizes(), strict=True)
    for number, (stage, size) in enumerate(pairs, 1):
        found = Counter(
            (mixer, tile_offset(mixer, size, block % 2 == 1) != (0, 0))
            for block, mixer in enumerate(stage.block_mixers())
        )
        line = (
            f"Stage {number}: map {size.height}×{size.width}, {count(stage.depth, 'block')} of "
            f"width {stage.width}, MLP ratio {stage.mlp_ratio:g}"
        )
        mixers = [DrawnMixer(m, stage.width, size, moved, n) for (m, moved), n in found.items()]
        stages.append(DrawnStage(stage, size, line, mixers))
    return stages


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


def mixer_text(drawn: DrawnMixer) -> Group:
    """The two masks of a mixer beside each other, with what they show."""
    positions, channels = drawn.positions(), drawn.channels()[:_FEW, :_FEW]
    table = Table.grid(padding=(0, 3))
    table.add_row(Text(mask_text(positions)), Text(mask_text(channels)))
    table.add_row(
        Text(f"read by the middle, of {edges_text(positions)}"),
        Text(f"channels, {channels_text(channels, drawn.width)}"),
    )
    words = f"{drawn.mixer.label}  ({count(drawn.blocks, 'block')}; {drawn.words()})"
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


def network_text(name: str, architecture: Architecture) -> Group:
    """A network for a terminal."""
    parts: list[RenderableType] = [Text(headline(name, architecture))]
    for stage in drawn_stages(architecture):
        parts.append(Text(f"\n{stage.line}", style="bold"))
        parts += map(mixer_text, stage.mixers)
    return Group(*parts)
