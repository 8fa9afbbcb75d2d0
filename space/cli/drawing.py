"""Networks and mixers drawn: as text for a terminal, or as a picture."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from space.architecture import Architecture
from space.cli.masks import channel_mask, in_words, mixers_of, position_mask
from space.cli.output import stdout_can_carry
from space.cli.picture import Line, Picture
from space.cost import cost
from space.geometry import MapSize
from space.mixer import Mixer
from space.structure.masks import BoolArray
from space.wording import count, short

_IN_ASCII = {(False, False): " ", (True, False): "'", (False, True): ".", (True, True): ":"}
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}
_FEW = 16
_EDGE = 112
_LEFT = 24


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
        Text(f"read by the middle, of {_edges(positions)}"),
        Text(f"channels, {_shown(channels, width)}"),
    )
    words = f"{mixer.label}  ({count(blocks, 'block')}; {in_words(mixer, shifted)})"
    return Group(Text(words), table)


def _edges(mask: BoolArray) -> str:
    return "×".join(map(str, mask.shape))


def _shown(channels: BoolArray, width: int) -> str:
    number = channels.shape[0]
    return f"the first {number} of {width}" if number < width else f"all {width}"


def headline(name: str, architecture: Architecture) -> str:
    """One line about a network."""
    spent, image = cost(architecture), architecture.input
    return (
        f"{name}: {architecture.name}, scaffold {architecture.scaffold}, {spent.params:,} params, "
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


def network_picture(name: str, architecture: Architecture) -> Picture:
    """A network as a picture: a row for each stage, a pair of masks for each of its mixers."""
    picture = Picture()
    _add_line(picture, headline(name, architecture), 20, 16)
    top = 56.0
    for line, stage, size, mixers in zip(
        stage_lines(architecture),
        architecture.stages,
        architecture.stage_sizes(),
        mixers_of(architecture),
        strict=True,
    ):
        _add_line(picture, line, top, 14)
        top += 26
        for mixer, moved, blocks in mixers:
            _add_mixer(picture, mixer, stage.width, size, moved, blocks, top)
            top += _EDGE + 44
        top += 12
    return picture


def mixer_picture(mixer: Mixer, width: int, size: MapSize) -> Picture:
    """A single mixer as a picture."""
    picture = Picture()
    _add_mixer(picture, mixer, width, size, False, 1, 20)
    return picture


def _add_mixer(
    picture: Picture,
    mixer: Mixer,
    width: int,
    size: MapSize,
    shifted: bool,
    blocks: int,
    top: float,
) -> None:
    positions = position_mask(mixer, size, shifted)
    channels = channel_mask(mixer, width)
    left = _LEFT + 2 * (_EDGE + 24)
    picture.add_mask(positions, _LEFT, top, _EDGE)
    picture.add_mask(channels, _LEFT + _EDGE + 24, top, _EDGE)
    texts = (
        mixer.label,
        f"{count(blocks, 'block')}, {in_words(mixer, shifted)}",
        f"left: read by the middle, of {_edges(positions)} positions",
        f"right: channels that each channel reads, {_shown(channels, width)}",
    )
    for number, text in enumerate(texts):
        _add_line(picture, text, top + 8 + 22 * number, 13 if number == 0 else 12, left)


def _add_line(picture: Picture, text: str, top: float, size: int, left: float = _LEFT) -> None:
    picture.lines.append(Line(left, top, text, size))
