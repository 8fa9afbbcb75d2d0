"""What a search wants: objectives, hard constraints, and which of two results is better."""

from search.objectives.goals import ACCURACY, Constraint, Goals, Objective, Values, goals_of
from search.objectives.hypervolume import hypervolume
from search.objectives.pareto import crowding_distances, dominates, nondominated, nondominated_ranks

__all__ = [
    "ACCURACY",
    "Constraint",
    "Goals",
    "Objective",
    "Values",
    "crowding_distances",
    "dominates",
    "goals_of",
    "hypervolume",
    "nondominated",
    "nondominated_ranks",
]
