"""An architecture drawn: image, stem, each stage with its blocks, head, from left to right."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import plotly.graph_objects as go

from search.store import MixerRecord
from search.visualization.frame import add_arrow, add_box
from search.visualization.plain_text import plain
from search.visualization.theme import KIND_COLOURS, LIGHT, Theme, kind_of
from space import Architecture
from space.cost.network_cost import part_costs
from space.wording import short

_ROW, _LINE = 34, 15
"""Pixels that a block of one line takes, and each line more."""
_LETTERS = 18
_MAX_ROWS = 12
_GREY = "#8b96a3"


def mixer_records(architecture: Architecture) -> list[MixerRecord]:
    """The token mixer of every block, as the store has them."""
    return [
        MixerRecord(
            stage,
            block,
            str(mixer.locality),
            str(mixer.channels),
            str(mixer.rank),
            str(mixer.sharing),
            str(mixer.dynamics),
            mixer.kernel_size,
            mixer.groups,
            mixer.heads,
            mixer.ratio,
            mixer.name,
            mixer.label,
        )
        for stage, block, mixer in architecture.block_mixers()
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    """Equal blocks in sequence: what is written on them, and their colour."""

    text: str
    detail: str
    colour: str


def stages_figure(
    architecture: Architecture,
    mixers: Sequence[MixerRecord],
    theme: Theme = LIGHT,
    *,
    costs: bool = False,
) -> go.Figure:
    """The figure; equal neighbouring blocks are one box with their number.

    Args:
        architecture: that is drawn.
        mixers: of its blocks, in order.
        theme: of the page.
        costs: whether params and FLOPs of each stage stand below it.
    """
    columns = [_rows(mixers, index) for index in range(len(architecture.stages))]
    most = max(len(rows) for rows in columns)
    made = go.Figure()
    pen = partial(_write, made, theme.ink)
    image, sizes = architecture.input, architecture.stage_sizes()
    _end(made, pen, 0.0, "image", f"{image.channels}×{image.height}×{image.width}", most)
    _end(made, pen, 0.66, "stem", architecture.stem.label, most)
    _arrow(made, 0.25, 0.41, most / 2)
    for index, (stage, size, rows) in enumerate(
        zip(architecture.stages, sizes, columns, strict=True)
    ):
        x = 1.62 + index * 1.3
        _arrow(made, x - (0.75 if index else 0.71), x - 0.55, most / 2)
        head = f"<b>Stage {index + 1}</b>  {size.height}×{size.width} map"
        under = f"{stage.width} channels · MLP ×{stage.mlp_ratio:g}"
        _stage(made, pen, x, head, under, rows, most)
        if costs:
            spent = part_costs(architecture)[f"stage {index + 1}"]
            said = f"{short(spent.params)} params · {short(spent.macs)} FLOPs"
            pen(x, [most / 2 - len(rows) / 2 - 0.3], [said], 12)
    last = 1.62 + len(columns) * 1.3 - 0.28
    _arrow(made, last - 0.47, last - 0.25, most / 2)
    _end(made, pen, last, "head", f"{architecture.head.classes} classes", most)
    lines = max(row.text.count("<br>") for rows in columns for row in rows)
    _frame(made, last, most, 0.6 if costs else 0.3, _ROW + _LINE * lines)
    return made


def _rows(mixers: Sequence[MixerRecord], stage: int) -> list[_Row]:
    own = [mixer for mixer in mixers if mixer.stage == stage]
    found: list[_Row] = []
    for label, group in groupby(own, key=lambda mixer: mixer.label):
        equal = list(group)
        first = equal[0]
        kind = kind_of(first)
        times = f" ×{len(equal)}" if len(equal) > 1 else ""
        axes = (first.locality, first.channels, first.rank, first.sharing, first.dynamics)
        found.append(_Row(_wrapped(label) + times, plain(" / ".join(axes)), KIND_COLOURS[kind]))
    if len(found) > _MAX_ROWS:
        rest = len(found) - _MAX_ROWS + 1
        found[_MAX_ROWS - 1 :] = [_Row(f"… {rest} more", "listed in the table below", _GREY)]
    return found


def _wrapped(label: str) -> str:
    """A mixer's label in lines that fit into its box."""
    lines = [""]
    for part in re.findall(r"[^ /]+[ /]?|[ /]", label):
        if lines[-1] and len(lines[-1]) + len(part.rstrip()) > _LETTERS:
            lines.append("")
        lines[-1] += part
    return "<br>".join(map(plain, lines))


def _stage(
    made: go.Figure,
    pen: Callable[..., None],
    x: float,
    head: str,
    under: str,
    rows: Sequence[_Row],
    most: int,
) -> None:
    top = most / 2 + len(rows) / 2
    pen(x, [top + 0.62], [head], 14)
    pen(x, [top + 0.2], [under], 12)
    ups = [top - place - 0.5 for place in range(len(rows))]
    pen(x, ups, [row.text for row in rows], 13, [row.detail for row in rows])
    for y, row in zip(ups, rows, strict=True):
        line = {"color": row.colour, "width": 1.5}
        add_box(made, (x, y), (0.54, 0.42), row.colour, 0.2, line=line)


def _end(
    made: go.Figure, pen: Callable[..., None], x: float, name: str, size: str, most: int
) -> None:
    y = most / 2
    add_box(made, (x, y), (0.24, 0.5), _GREY, 0.12, line={"color": _GREY, "width": 1})
    pen(x, [y], [f"<b>{name}</b><br>{size}"], 12)


def _write(
    made: go.Figure,
    ink: str,
    x: float,
    ups: Sequence[float],
    texts: Sequence[str],
    size: int,
    details: Sequence[str] | None = None,
) -> None:
    made.add_scatter(
        x=[x] * len(ups),
        y=list(ups),
        text=list(texts),
        mode="text",
        textfont={"size": size, "color": ink},
        hovertext=details,
        hoverinfo="text" if details else "skip",
    )


def _arrow(made: go.Figure, start: float, end: float, y: float) -> None:
    add_arrow(made, (start, y), (end, y), _GREY, arrowwidth=1.2)


def least_width(stages: int) -> int:
    """Pixels across in which every label fits into its box."""
    return 260 + 180 * stages


def _frame(made: go.Figure, last: float, most: int, below: float, row: int) -> None:
    made.update_layout(
        height=max(150, int((most + 1.3 + below) * row) + 20),
        margin={"l": 0, "r": 0, "t": 4, "b": 4},
        showlegend=False,
    )
    made.update_xaxes(visible=False, range=(-0.3, last + 0.3), fixedrange=True)
    made.update_yaxes(visible=False, range=(-below, most + 1.1), fixedrange=True)
