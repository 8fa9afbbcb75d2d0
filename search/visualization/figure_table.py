"""What a figure shows as a table: for those who cannot see it, or want its numbers."""

import html
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import pandas as pd
import plotly.graph_objects as go

ARCHITECTURE = "architecture"
_ID = re.compile("[0-9a-f]{16}")
_SERIES = "what"


def figure_table(made: go.Figure) -> pd.DataFrame:
    """A row for each point and bar of a figure, in the order of its traces.

    Columns are what the traces are called, where there are several, and the titles of the axes;
    per cent of an axis are told as per cent. Where points lead to an architecture, its id stands
    last. Steps are their corners, unless the points on them are there already.
    """
    traces = [trace for trace in made.data if _is_told(trace, made.data)]
    across, up = _axis(made, "x", traces), _axis(made, "y", traces)
    rows = [row for trace in traces for row in _rows(trace, across, up)]
    table = pd.DataFrame(rows, columns=[_SERIES, across[0], up[0], ARCHITECTURE])
    if table[_SERIES].nunique() < 2:
        table = table.drop(columns=_SERIES)
    return table if table[ARCHITECTURE].any() else table.drop(columns=ARCHITECTURE)


def _is_told(trace: Any, every: Sequence[Any]) -> bool:
    if trace.x is None or all(x is None for x in trace.x):
        return False  # of the legend alone
    marked = {each.legendgroup for each in every if "markers" in (getattr(each, "mode", "") or "")}
    return trace.hoverinfo != "skip" or (trace.legendgroup or "") not in marked


_Axis = tuple[str, float, int | None]
"""Its title, what its values are multiplied by, and the digits of those."""


def _axis(made: go.Figure, name: str, traces: Sequence[Any]) -> _Axis:
    layout = made.layout[f"{name}axis"]
    title = layout.title.text or _untitled(name, traces)
    is_share = str(layout.tickformat or "").endswith("%")
    return (f"{title}, %", 100.0, 2) if is_share else (title, 1.0, None)


def _untitled(name: str, traces: Sequence[Any]) -> str:
    first = next((value for trace in traces for value in trace[name]), None)
    if isinstance(first, datetime):
        return "time"
    return "name" if isinstance(first, str) else {"x": "across", "y": "up"}[name]


def _rows(trace: Any, across: _Axis, up: _Axis) -> Iterator[list[Any]]:
    """Its points; of steps that go on to the end not the end."""
    custom = trace.customdata if trace.customdata is not None else [None] * len(trace.x)
    is_step = trace.hoverinfo == "skip"
    places = list(zip(trace.x, trace.y, custom, strict=False))
    for x, y, carried in places[: -1 if is_step and len(places) > 1 else None]:
        if x is not None and y is not None:
            name = html.unescape(trace.name or "")
            yield [name, _value(x, across), _value(y, up), _architecture(carried)]


def _value(value: Any, axis: _Axis) -> Any:
    _, times, digits = axis
    if isinstance(value, (str, datetime)) or times == 1.0:
        return value
    return round(float(value) * times, digits)


def _architecture(carried: Any) -> str:
    first = carried[0] if carried is not None and len(carried) else None
    return first if isinstance(first, str) and _ID.fullmatch(first) else ""
