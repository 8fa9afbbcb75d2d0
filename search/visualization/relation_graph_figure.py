"""The paper's relation graph, drawn from the code, with what this store found on its nodes."""

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from search.effects import Effect, MoveKind, interval_in_points, points
from search.query import OperatorRecord, is_custom
from search.visualization.frame import Point, add_arrow, add_box
from search.visualization.plain_text import plain
from search.visualization.theme import (
    DENSE,
    FRONT_COLOUR,
    KIND_COLOURS,
    LIGHT,
    Theme,
    kind_of,
)
from space.axes import AXES
from space.custom.registry import registered
from space.mixer_types import mixer_type_named, plain_name
from space.relation_graph import EDGES, EXAMPLES, NODES, Edge, EdgeKind
from space.wording import count, percent

PLACES: dict[str, Point] = {
    "LR MLP": (-0.2, 4.0),
    "MLP": (2.0, 4.0),
    "Pyramid MS Conv.": (-0.2, 2.8),
    "Conv.": (1.6, 2.8),
    "Bottleneck": (-0.2, 1.8),
    "Sep. MLP": (3.1, 2.8),
    "ViT": (4.4, 1.9),
    "PVT": (5.3, 0.85),
    "DW-S Conv.": (2.1, 1.3),
    "Local ViT": (4.1, 0.75),
    "Dynamic DW-S Conv.": (0.9, 0.0),
    "Dynamic Local-S MLP": (3.0, -0.5),
}
"""Where the nodes stand: from top to bottom regularisation and dynamic weights grow."""
_HALF = (0.52, 0.24)
"""Half the width and height of a node, in the units of the places."""
_HEAD = 0.12
_HEIGHT, _HEIGHT_WHOLE = 780, 960  # labels of a line more leave their boxes and arrows free
_DASH = {"LR MLP": "dot"}
"""The paper dots the one edge that leads there."""


def relation_graph_figure(
    records: Mapping[str, OperatorRecord] | None = None,
    theme: Theme = LIGHT,
    effects: Sequence[Effect] = (),
    *,
    whole: bool = False,
) -> go.Figure:
    """The figure; every node carries the id of its best architecture, or nothing.

    Args:
        records: what was found of each node; None draws the graph alone. Custom mixers stand
            beneath the twelve, joined with the relatives that they declare as far as they are
            registered here.
        theme: of the page.
        effects: measured on the edges, which then tell of them.
        whole: whether they tell the interval too, which a page has where one points at them.
    """
    made = go.Figure()
    measured = {(e.move.source, e.move.target): e for e in effects if e.move.kind is MoveKind.EDGE}
    custom = [name for name in records or () if name not in PLACES]
    places = {name: PLACES[name] for name in NODES} | _beneath(custom)
    for edge in EDGES:
        effect = measured.get((edge.source.name, edge.target.name))
        told = [] if effect is None else _of_effect(effect, whole)
        more = [] if effect is None else _all_of_effect(effect)
        ends = places[edge.source.name], places[edge.target.name]
        _edge(made, edge, *ends, told, more)
    for name in custom:
        _relatives(made, name, places)
    _legend(made, records is not None)
    _nodes(made, places, records, theme)
    made.update_layout(
        height=(_HEIGHT_WHOLE if whole else _HEIGHT) + 110 * _rows(custom),
        margin={"l": 4, "r": 4, "t": 44, "b": 4},
        legend={"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
        hovermode="closest",
        dragmode=False,
    )
    rights, ups = zip(*places.values(), strict=True)
    across, up = (min(rights) - 0.6, max(rights) + 0.6), (min(ups) - 0.4, max(ups) + 0.4)
    made.update_xaxes(visible=False, range=across, fixedrange=True)
    made.update_yaxes(visible=False, range=up, fixedrange=True)
    return made


_A_ROW = 5
"""Custom mixers side by side."""


def _rows(custom: Sequence[str]) -> int:
    return -(-len(custom) // _A_ROW)


def _beneath(custom: Sequence[str]) -> dict[str, Point]:
    """Where custom mixers stand: in rows below all others."""
    return {
        name: (-0.1 + 1.35 * (place % _A_ROW), -1.5 - 0.8 * (place // _A_ROW))
        for place, name in enumerate(custom)
    }


def _relatives(made: go.Figure, name: str, places: Mapping[str, Point]) -> None:
    """Thin lines to the relatives that are drawn; a line says what changes where one points."""
    definition = registered(name)
    for relative, change in {} if definition is None else definition.relatives.items():
        other = next((p for p in places if plain_name(p) == plain_name(relative)), None)
        if other is None or other == name:
            continue
        ends = _at_border(places[name], places[other]), _at_border(places[other], places[name])
        made.add_scatter(
            x=[ends[0][0], ends[1][0]],
            y=[ends[0][1], ends[1][1]],
            mode="lines",
            line={"color": KIND_COLOURS[DENSE], "width": 1.2, "dash": "dash"},
            hovertemplate=plain(f"{name} – {other}: {change or 'a step'}") + "<extra></extra>",
            showlegend=False,
        )


def _edge(
    made: go.Figure,
    edge: Edge,
    source: Point,
    target: Point,
    told: Sequence[str],
    more: Sequence[str],
) -> None:
    """The line and its label: what is told in it, and what more where one points at it."""
    colour = KIND_COLOURS[edge.kind]
    start, end = _at_border(source, target), _at_border(target, source)
    made.add_scatter(
        x=[start[0], end[0]],
        y=[start[1], end[1]],
        mode="lines",
        line={"color": colour, "width": 2.5, "dash": _DASH.get(edge.target.name)},
        hoverinfo="skip",
        showlegend=False,
    )
    # The head alone: on a shorter line Plotly leaves it out, a longer one would cover the dots.
    part = _HEAD / math.dist(start, end)
    neck = (end[0] - (end[0] - start[0]) * part, end[1] - (end[1] - start[1]) * part)
    add_arrow(made, neck, end, colour, arrowsize=1.1, arrowwidth=2.2)
    _edge_label(made, edge, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2), told, more)


def _edge_label(
    made: go.Figure, edge: Edge, middle: Point, told: Sequence[str], more: Sequence[str]
) -> None:
    changes = "<br>".join(f"{axis}: {old} → {new}" for axis, (old, new) in edge.changes.items())
    label = edge.label.replace("Inhomogeneous ", "Inhomogeneous<br>")
    made.add_annotation(
        x=middle[0],
        y=middle[1],
        text="<br>".join([label, *told]),
        hovertext="<br>".join([f"{edge.source.name} → {edge.target.name}", changes, *more]),
        showarrow=False,
        font={"size": 12, "color": "#ffffff"},
        bgcolor=KIND_COLOURS[edge.kind],
        borderpad=3,
    )


def _of_effect(effect: Effect, whole: bool) -> list[str]:
    """In the label: the effect, or that there is none to tell; with its interval if it is whole."""
    if not effect.pairs:
        return ["no pair"]
    interval = [interval_in_points(effect.accuracy)] if whole else []
    if " in " in effect.verdict:
        return [f"<b>{points(effect.accuracy.mean)}</b> by block type", *interval]
    unsure = effect.verdict.startswith("cannot tell")
    return [f"<b>{points(effect.accuracy.mean)}</b>{'?' if unsure else ''}", *interval]


def _all_of_effect(effect: Effect) -> list[str]:
    """Where one points at the label."""
    if not effect.pairs:
        return ["no two networks differ by this alone"]
    whole = effect.accuracy
    lines = [
        f"<b>{effect.verdict}</b>",
        f"{points(whole.mean)} points {interval_in_points(whole)}, 95 %",
        f"{count(effect.pairs, 'pair')} in {count(whole.contexts, 'context')}",
    ]
    if len(effect.by_block_type) > 1:
        lines += [f"{name}: {points(e.mean)}" for name, e in effect.by_block_type.items()]
    known = {name: ratio for name, ratio in effect.ratios.items() if not math.isnan(ratio)}
    return [*lines, ", ".join(f"{name} × {ratio:.2f}" for name, ratio in known.items())]


def _nodes(
    made: go.Figure,
    places: Mapping[str, Point],
    records: Mapping[str, OperatorRecord] | None,
    theme: Theme,
) -> None:
    found = records or {}
    whole = [r for r in found.values() if not r.pruned and r.best_accuracy is not None]
    best = max((r.best_accuracy or 0.0 for r in whole), default=None)
    for name, place in places.items():
        record = found.get(name)
        colour = KIND_COLOURS[DENSE if is_custom(name) else kind_of(mixer_type_named(name))]
        champion = record is not None and record in whole and record.best_accuracy == best
        line = {"color": FRONT_COLOUR if champion else colour, "width": 3 if champion else 1.5}
        add_box(made, place, _HALF, colour, 0.16, line=line, layer="below")
    made.add_scatter(
        x=[x for x, _ in places.values()],
        y=[y for _, y in places.values()],
        customdata=[[_best_id(found.get(name))] for name in places],
        hovertext=[_hover(name, found.get(name)) for name in places],
        hovertemplate="%{hovertext}<extra></extra>",
        mode="markers+text",
        text=[_text(name, found.get(name)) for name in places],
        textfont={"size": 13, "color": theme.ink},
        marker={"size": 70, "symbol": "square", "color": "rgba(0, 0, 0, 0)"},
        unselected={"marker": {"opacity": 0}},
        showlegend=False,
    )


def _best_id(record: OperatorRecord | None) -> str:
    return (record and record.best_architecture) or ""


def _text(name: str, record: OperatorRecord | None) -> str:
    name = plain(name)
    if record is None:
        return f"<b>{name}</b>"
    found = _accuracy(record) if record.best_accuracy is not None else "not tried"
    trials = f" · {count(record.alone, 'trial')}" if record.alone else ""
    if record.alone and record.best_accuracy is None:
        found, trials = count(record.alone, "trial"), ""
    return f"<b>{name}</b><br>{found}{trials}"


def _accuracy(record: OperatorRecord) -> str:
    """At least so much where the trial was stopped early."""
    return ("≥ " if record.pruned else "") + percent(record.best_accuracy)


def _hover(name: str, record: OperatorRecord | None) -> str:
    lines = [f"<b>{plain(name)}</b>", *_said_of(name)]
    if record is None:
        return "<br>".join(lines)
    lines.append(f"alone in {count(record.alone, 'trial')}, beside others in {record.mixed:,}")
    if record.best_architecture is not None:
        stopped = ", whose trial was pruned" if record.pruned else ""
        lines.append(f"best {_accuracy(record)} by {plain(record.best_architecture)}{stopped}")
    return "<br>".join(lines)


def _said_of(name: str) -> list[str]:
    """Where an operator is from, and its place on every axis."""
    if is_custom(name):
        definition = registered(name)
        if definition is None:
            return ["a custom mixer that is not registered here"]
        marks = [f"{axis}: {value}" for axis, value in definition.marks.declared.items()]
        return [plain(definition.paper or "a custom mixer"), *marks]
    examples = ["as in " + ", ".join(EXAMPLES[name])] if name in EXAMPLES else []
    values = mixer_type_named(name).values
    return [*examples, *(f"{axis}: {value}" for axis, value in zip(AXES, values, strict=True))]


def _legend(made: go.Figure, has_records: bool) -> None:
    for kind in EdgeKind:
        made.add_scatter(
            x=[None],
            y=[None],
            mode="lines",
            line={"color": KIND_COLOURS[kind], "width": 4},
            name=f"adds {kind}",
        )
    if not has_records:
        return
    made.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        marker={
            "symbol": "square-open",
            "size": 13,
            "color": FRONT_COLOUR,
            "line": {"width": 3},
        },
        name="the most accurate here",
    )


def _at_border(node: Point, towards: Point) -> Point:
    """Where the line from a node's middle towards another leaves the node's box."""
    right, up = towards[0] - node[0], towards[1] - node[1]
    parts = [half / abs(way) for half, way in zip(_HALF, (right, up), strict=True) if way]
    part = min(parts)
    return node[0] + right * part, node[1] + up * part
