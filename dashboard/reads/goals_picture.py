"""What a study found of its own objectives: few enough points to draw, while the front is whole."""

from dataclasses import dataclass

from dashboard.reads.remember import remembered
from dashboard.reads.sample import thinned
from dashboard.view import View
from search.query import Judged, Objectives, front_of, judged

MAX_POINTS = 3000


@dataclass(frozen=True, slots=True)
class GoalsPicture:
    """The completely trained architectures of a study that have all of its objectives.

    Attributes:
        goals: of the study.
        front: what no other dominates, whole, the best by the first objective first.
        dominated: the others that keep the study's constraints, or an even sample of them.
        breaking: those that break a constraint, or an even sample of them.
        total: how many architectures there are with all objectives.
        without: how many lack one.
        missing: the objectives that some of those lack.
    """

    goals: Objectives
    front: list[Judged]
    dominated: list[Judged]
    breaking: list[Judged]
    total: int
    without: int
    missing: tuple[str, ...] = ()

    @property
    def shown(self) -> list[Judged]:
        """Every architecture that is drawn."""
        return [*self.breaking, *self.dominated, *self.front]

    @property
    def is_sample(self) -> bool:
        """Whether points were left out."""
        return self.total > len(self.shown)


def goals_picture(view: View, study: str, goals: Objectives) -> GoalsPicture:
    """The picture of one study over its goals, of the complete trials of the filter."""
    arguments = (study, view.where)
    return remembered(view, "goals", arguments, lambda: _picture(view, study, goals))


def _picture(view: View, study: str, goals: Objectives) -> GoalsPicture:
    rows = judged(view.store, study, goals.names, where=view.where or None)
    found = [row for row in rows if goals.has(row.values)]
    lacked = {name for row in rows for name in goals.missing(row.values)}
    front = front_of(found, goals)
    on_front = {row.architecture_id for row in front}
    rest = [row for row in found if row.architecture_id not in on_front]
    dominated = [row for row in rest if goals.keeps(row.values)]
    breaking = [row for row in rest if not goals.keeps(row.values)]
    return GoalsPicture(
        goals,
        front,
        thinned(dominated, MAX_POINTS),
        thinned(breaking, MAX_POINTS),
        len(found),
        len(rows) - len(found),
        tuple(each.name for each in goals.objectives if each.name in lacked),
    )
