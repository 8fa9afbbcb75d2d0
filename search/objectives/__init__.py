"""What a search wants: objectives, hard constraints, and which of two results is better."""

from search.objectives.fronts import Fronts
from search.objectives.goals import ACCURACY, Constraint, Goals, Objective, Values, goals_of
from search.objectives.hypervolume import hypervolume
from search.objectives.judging import JudgedBy, judged_accuracy, judged_by, judged_values
from search.objectives.pareto import (
    best_first,
    crowding_distances,
    dominates,
    nondominated,
    nondominated_ranks,
)

__all__ = [
    "ACCURACY",
    "Constraint",
    "Fronts",
    "Goals",
    "JudgedBy",
    "Objective",
    "Values",
    "best_first",
    "crowding_distances",
    "dominates",
    "goals_of",
    "hypervolume",
    "judged_accuracy",
    "judged_by",
    "judged_values",
    "nondominated",
    "nondominated_ranks",
]
