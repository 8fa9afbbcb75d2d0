"""`show`: a network, a mixer or a space, drawn."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import click
import numpy as np

from space.architecture import Architecture
from space.cli.commands import PathType, json_option, plugin_option, print_json
from space.cli.drawing import DrawnMixer, drawn_stages, mixer_text, network_text
from space.cli.output import stdout_console
from space.cli.picture import mixer_picture, network_picture, refuse_bad_file, write
from space.cli.subjects import Subject, read_subject
from space.cli.tables import print_table
from space.custom import CustomMixer
from space.design import DesignSpace
from space.errors import InputError, refuse
from space.geometry import MapSize, width_problems
from space.mixer import Mixer

MOST_POSITIONS = 256 * 256
MOST_CELLS = 500_000


@click.command("show")
@click.argument("subject")
@click.option("--out", type=PathType(), help="Draw into this .svg or .png file.")
@click.option("--map", "size", default="14x14", show_default=True, help="Of a mixer: HEIGHTxWIDTH.")
@click.option(
    "--width",
    default=32,
    show_default=True,
    type=click.IntRange(1, 4096),
    help="Of a mixer: channels.",
)
@plugin_option
@json_option
def command(
    subject: str, out: Path | None, size: str, width: int, plugins: tuple[str, ...], as_json: bool
) -> None:
    """Draw SUBJECT: a network of the zoo, or a file with a network, a token mixer or a space.

    \b
    Examples:
      python -m space show swin_tiny
      python -m space show swin_tiny --out swin.svg
      python -m space show my-mixer.json --map 28x28 --width 64
      python -m space show imagenet-tiny

    Of each mixer the connectivity is drawn: what the position in the middle of the map reads, and
    which channels each channel reads. Of a space its stages are listed.
    """
    if out is not None:
        refuse_bad_file(out)
    found = read_subject(subject, plugins)
    if isinstance(found.value, Architecture):
        _show_network(found, found.value, out, as_json)
    elif isinstance(found.value, Mixer):
        _show_mixer(DrawnMixer(found.value, width, _map_size(size)), out, as_json)
    elif out is not None:
        raise InputError.of("--out", "a space has no picture; draw one of its networks")
    else:
        _show_space(found.value, as_json)


def _map_size(text: str) -> MapSize:
    match = re.fullmatch(r"(\d{1,4})x(\d{1,4})", text, re.ASCII)
    size = MapSize(int(match[1]), int(match[2])) if match else MapSize(0, 0)
    if not 1 <= size.positions <= MOST_POSITIONS:
        raise InputError.of("--map", f"{text[:40]!r} is no size such as 14x14, at most 256x256")
    return size


def _show_network(
    subject: Subject, architecture: Architecture, out: Path | None, as_json: bool
) -> None:
    _refuse_endless_drawing(architecture)
    if out is not None:
        write(network_picture(subject.name, architecture), out)
    if as_json:
        print_json(_network_values(subject, architecture))
    elif out is None:
        stdout_console().print(network_text(subject.name, architecture))


def _refuse_endless_drawing(architecture: Architecture) -> None:
    cells = sum(s.size.positions * len(s.mixers) for s in drawn_stages(architecture))
    if cells > MOST_CELLS:
        message = f"the masks of all mixers have {cells:,} cells; at most {MOST_CELLS:,} are drawn"
        raise InputError.of("stages", message)


def _network_values(subject: Subject, architecture: Architecture) -> dict[str, Any]:
    return {
        "name": subject.name,
        "id": architecture.id,
        "architecture": architecture.to_dict(),
        "stages": [
            {
                "map": [drawn.size.height, drawn.size.width],
                "depth": drawn.stage.depth,
                "width": drawn.stage.width,
                "mlp_ratio": drawn.stage.mlp_ratio,
                "mixers": [_mixer_values(each) | {"blocks": each.blocks} for each in drawn.mixers],
            }
            for drawn in drawn_stages(architecture)
        ],
    }


def _mixer_values(drawn: DrawnMixer) -> dict[str, Any]:
    return {
        "label": drawn.mixer.label,
        "mixer": drawn.mixer.to_dict(),
        "tiles_moved": drawn.shifted,
        "position_mask": drawn.positions().astype(np.int64).tolist(),
        "channel_mask": drawn.channels().astype(np.int64).tolist(),
    }


def _show_mixer(drawn: DrawnMixer, out: Path | None, as_json: bool) -> None:
    if isinstance(drawn.mixer, CustomMixer):
        drawn.mixer.definition  # noqa: B018  refuses one that nobody has registered: it has no mask
    refuse(width_problems(drawn.mixer, drawn.width))
    if out is not None:
        write(mixer_picture(drawn), out)
    if as_json:
        print_json(_mixer_values(drawn))
    elif out is None:
        stdout_console().print(mixer_text(drawn))


def _show_space(space: DesignSpace, as_json: bool) -> None:
    if as_json:
        print_json(space.to_dict() | {"without_limits": space.size_hint()})
        return
    rows = []
    for index, stage in enumerate(space.stage_choices(), 1):
        lists = (stage.depths, stage.widths, stage.mlp_ratios)
        shown = [", ".join(f"{value:g}" for value in values) for values in lists]
        kinds = Counter(mixer.name for mixer in stage.mixers)
        labels = ", ".join(f"{name} ({number})" for name, number in kinds.items())
        rows.append((str(index), *shown, str(stage.pattern), labels))
    limits = ", ".join(f"{name} ≤ {value:,}" for name, value in space.limits.to_dict().items())
    print_table(
        f"{space.name}: stages",
        ("stage", "depths", "widths", "MLP ratios", "pattern", "token mixers (choices)"),
        rows,
        caption=f"block type {' or '.join(space.block_types)}; limits: {limits or 'none'}",
    )
    click.echo(f"{space.size_hint():,} distinct networks before the limits; see `count`.")
