"""Accuracy against cost: few enough points to draw, while what matters is whole."""

from dataclasses import dataclass
from random import Random

from dashboard.reads.remember import remembered
from dashboard.reads.sample import thinned
from dashboard.view import View
from search.query import BestRow, OperatorStanding, best, pareto_front, standings
from search.query.pareto import Cost
from space.relation_graph import NODES

MAX_POINTS = 3000


@dataclass(frozen=True, slots=True)
class CostPicture:
    """The architectures of the filter, as points of accuracy against cost.

    Attributes:
        front: the Pareto front, whole, in order of rising cost.
        named: the best architecture of each of the paper's operators that was tried alone.
        others: the rest, or a sample of it in which the most accurate are whole.
        total: how many completely trained architectures there are with an accuracy.
        without: how many there are without one; what was pruned does not compare.
    """

    front: list[BestRow]
    named: list[OperatorStanding]
    others: list[BestRow]
    total: int
    without: int

    @property
    def is_sample(self) -> bool:
        """Whether points were left out."""
        return self.total > len({row.trial_id for row in self.shown})

    @property
    def shown(self) -> list[BestRow]:
        """Every row that is drawn; front and named rows may repeat."""
        return [*self.others, *(standing.row for standing in self.named), *self.front]


def cost_picture(view: View, cost: Cost) -> CostPicture:
    """The picture of the filter's architectures against one cost."""
    arguments = (view.study, view.where, cost)
    return remembered(view, "cost", arguments, lambda: _picture(view, cost))


def _picture(view: View, cost: Cost) -> CostPicture:
    rows = best(view.store, where=view.where or None, study=view.study, top=None)
    known = [row for row in rows if row.accuracy is not None and row.is_complete]
    front = pareto_front(known, cost)
    named = [standing for standing in standings(known) if standing.name in NODES]
    special = {row.trial_id for row in front} | {standing.row.trial_id for standing in named}
    others = sampled([row for row in known if row.trial_id not in special], MAX_POINTS)
    return CostPicture(front, named, others, len(known), len(rows) - len(known))


def sampled(rows: list[BestRow], most: int) -> list[BestRow]:
    """At most `most` rows.

    Half of them are the most accurate, where people look; the others are drawn from the rest by
    chance, the same each time.
    """
    if len(rows) <= most:
        return rows
    ranked = sorted(rows, key=lambda row: (-(row.accuracy or 0.0), row.trial_id))
    top, rest = ranked[: most // 2], ranked[most // 2 :]
    Random(0).shuffle(rest)
    return top + thinned(rest, most - len(top))
