"""The relation graph with the measured effect on every edge, as a paper may take it."""

from collections.abc import Mapping

import plotly.graph_objects as go

from search.effects import MoveKind
from search.query import OperatorRecord, StudyEffects
from search.visualization.paper import finished
from search.visualization.relation_graph_figure import relation_graph_figure
from space.wording import count, some

_WIDTH, _WIDTH_MEASURED = 1080, 1240
"""What the names in the boxes need, and what labels with intervals do beside them."""
_NAMED = 3


def measured_graph(
    found: StudyEffects, records: Mapping[str, OperatorRecord] | None = None, more: str = ""
) -> go.Figure:
    """The figure; each edge has its effect with the interval, and a ? where it cannot be told.

    Args:
        found: the effects, of one protocol.
        records: what was found of each node; None draws the names alone.
        more: what is to be said of the nodes, for the line below the title.
    """
    edges = [each for each in found.effects if each.move.kind is MoveKind.EDGE]
    measured = [each for each in edges if each.pairs]
    effects = found.effects if measured else ()
    drawn = relation_graph_figure(records, effects=effects, whole=bool(measured))
    whose = some(found.studies, _NAMED)
    trained = f"{count(found.networks, 'network')}, {found.judged}"
    if measured:
        title = "The relation graph of token mixers, measured"
        along = (
            "edges: points of validation accuracy [95 %] between networks equal in all else, ?: "
            "cannot tell"
        )
    else:
        title = "The relation graph of token mixers"
        along = "no two networks differ by an edge alone"
    note = " · ".join(part for part in (f"{whose}: {trained}", along, more) if part)
    made = wide(finished(drawn, title, note))
    return made.update_layout(width=_WIDTH_MEASURED) if measured else made


def wide(graph: go.Figure) -> go.Figure:
    """As wide as the names in its boxes need."""
    return graph.update_layout(width=_WIDTH)
