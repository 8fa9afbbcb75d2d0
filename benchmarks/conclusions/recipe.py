"""What the recipe does: trainings by it, less those of the same networks by a plain one."""

import numpy as np

from benchmarks.conclusions.contrasts import COSTS, Found
from benchmarks.table.read import TabularBenchmark
from search.effects import MARGIN, over_contexts
from search.effects.estimates import verdict

NAME = "plain training → the recipe"


def recipe_effect(recipe: TabularBenchmark, plain: TabularBenchmark, wanted: int) -> Found:
    """The difference over the networks of both, each a context, by the seeds of both.

    Args:
        recipe: trained by the table's protocol.
        plain: some of its networks, by a constant rate and nothing beside.
        wanted: networks that the whole table of plain trainings has.
    """
    pairs = [
        (each.accuracy - other.accuracy)
        for name in plain.architectures
        if name in recipe.architectures
        for seed, other in plain.trainings(name).items()
        if (each := recipe.trainings(name).get(seed)) is not None
    ]
    estimate = over_contexts(np.array(pairs))
    said = verdict(estimate, estimate.p, MARGIN)
    return Found(NAME, estimate, wanted, 2 * len(pairs), dict.fromkeys(COSTS, 1.0), said)
