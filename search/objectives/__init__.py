"""What a search wants: objectives, hard constraints, and which of two results is better."""

from search.objectives.judging import (
    JudgedBy,
    best_for,
    judged_accuracy,
    judged_by,
    judged_values,
    unkept,
)
from search.objectives.objectives import (
    ACCURACY,
    Constraint,
    Objective,
    Objectives,
    Values,
    as_direction,
    objectives_from,
    refuse_lists,
)
from search.objectives.pareto_fronts import (
    Fronts,
    best_first,
    crowding_distances,
    dominates,
    hypervolume,
    nondominated,
    nondominated_ranks,
)

__all__ = [
    "ACCURACY",
    "Constraint",
    "Fronts",
    "JudgedBy",
    "Objective",
    "Objectives",
    "Values",
    "as_direction",
    "best_first",
    "best_for",
    "crowding_distances",
    "dominates",
    "hypervolume",
    "judged_accuracy",
    "judged_by",
    "judged_values",
    "nondominated",
    "nondominated_ranks",
    "objectives_from",
    "refuse_lists",
    "unkept",
]
