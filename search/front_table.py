"""The front of a study over its own objectives, as people see it."""

from rich.console import RenderableType
from rich.text import Text

from search.objectives import Objectives
from search.query import Judged, figure_words, listed
from search.tables import Column, FittedTable


def front_table(rows: list[Judged], goals: Objectives) -> RenderableType:
    """A line for each architecture, a column for each objective; without any, why there is none."""
    if not rows:
        return Text(no_front(goals))
    names = [objective.name for objective in goals.objectives]
    longest = max(len(name) for row in rows for name in row.operators.split(" + "))
    return FittedTable(
        (
            Column("architecture", [row.architecture_id for row in rows]),
            *(
                Column(name, [figure_words(name, row.values[name]) for row in rows], right=True)
                for name in names
            ),
            Column("seeds", [str(row.repeats) for row in rows], right=True, optional=1),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        f"Pareto front of {', '.join(names)}; complete trials only",
    )


def no_front(goals: Objectives) -> str:
    """That nothing is on the front, with the constraints that were to be kept."""
    said = "No completely trained architecture fulfils this"
    if not goals.constraints:
        return f"{said}."
    return f"{said} and keeps the study's constraints ({listed(goals.constraints)})."
