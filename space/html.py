"""What a notebook shows of mixers, networks and spaces: small pieces of HTML, pictures as SVG."""

from collections.abc import Iterable, Sequence
from html import escape

from space.architecture import Architecture
from space.cli.drawing import DrawnMixer, drawn_stages, headline
from space.cli.picture import mixer_picture, network_picture
from space.design import DesignSpace
from space.geometry import MapSize, fitting_width
from space.mixer import Mixer

_MAP = MapSize(14, 14)
_WIDTH = 32
_MOST_CELLS = 50_000
"""Of the masks of a network that are drawn; of a larger one its stages are listed."""


def of_mixer(mixer: Mixer) -> str:
    """Its connectivity on a map of 14×14, as the command `space show` draws it."""
    return mixer_picture(DrawnMixer(mixer, fitting_width(mixer, _WIDTH), _MAP)).svg()


def of_architecture(architecture: Architecture) -> str:
    """Its stages with the connectivity of their mixers; of large maps the stages alone."""
    stages = drawn_stages(architecture)
    if sum(stage.size.positions * len(stage.mixers) for stage in stages) <= _MOST_CELLS:
        return network_picture(architecture.id, architecture).svg()
    rows = [
        (
            index,
            f"{drawn.size.height}×{drawn.size.width}",
            drawn.stage.depth,
            drawn.stage.width,
            f"{drawn.stage.mlp_ratio:g}",
            " + ".join(mixer.label for mixer in drawn.stage.mixers),
        )
        for index, drawn in enumerate(stages, 1)
    ]
    columns = ("stage", "map", "blocks", "width", "MLP ratio", "token mixers")
    return table(headline(architecture.id, architecture), columns, rows)


def of_space(space: DesignSpace) -> str:
    """How many networks it has, its limits, and what each stage may be."""
    limits = ", ".join(f"{name} ≤ {value:,}" for name, value in space.limits.to_dict().items())
    image = space.input
    title = (
        f"Design space {space.name}: {space.size_hint():,} networks"
        f"{f' before the limits ({limits})' if limits else ''}; {' or '.join(space.block_types)} "
        f"blocks, {image.channels}×{image.height}×{image.width}, {space.classes:,} classes"
    )
    rows = [
        (
            index,
            *(_listed(values) for values in (stage.depths, stage.widths, stage.mlp_ratios)),
            f"{len(stage.mixers):,}",
            ", ".join(dict.fromkeys(mixer.name for mixer in stage.mixers)),
        )
        for index, stage in enumerate(space.stage_choices(), 1)
    ]
    columns = ("stage", "blocks", "widths", "MLP ratios", "mixers", "token mixers")
    return table(title, columns, rows)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], below: str = ""
) -> str:
    """A table with a line above it; all that it is given is text, and none of it markup.

    Args:
        title: the line.
        columns: their names.
        rows: a value for each column.
        below: markup of ours, such as a picture, that stands below the table.
    """
    head = _row(columns, "th")
    body = "".join(_row(row, "td") for row in rows)
    return (
        f"<div><p>{escape(title)}</p>"
        f"<table><thead>{head}</thead><tbody>{body}</tbody></table>{below}</div>"
    )


def _row(cells: Iterable[object], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(str(cell))}</{tag}>' for cell in cells)}</tr>"


def _listed(values: Iterable[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
