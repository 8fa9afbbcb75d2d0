"""What the recipe does: trainings by it, less those of the same networks by a plain one."""

import math
from collections.abc import Iterator
from statistics import mean

import numpy as np

from benchmarks.conclusions.contrasts import COSTS, Found
from benchmarks.table.read import TabularBenchmark
from search.effects import SeedSpread, over_contexts

NAME = "plain training → the recipe"


def recipe_effect(
    recipe: TabularBenchmark, plain: TabularBenchmark, wanted: int, seeds: SeedSpread | None
) -> Found:
    """The difference over the networks of both, each a context, by the seeds of both.

    Args:
        recipe: trained by the table's protocol.
        plain: some of its networks, by a constant rate and nothing beside.
        wanted: networks that the whole table of plain trainings has.
        seeds: how trainings of one network scatter.

    Returns:
        what there is, without a verdict. Trainings that failed are left out.
    """
    both = [
        found for name in plain.architectures if (found := [*_differences(recipe, plain, name)])
    ]
    error = (0.0, 0.0)
    if seeds is not None and both:
        each = sum(2 / len(differences) for differences in both)
        error = seeds.deviation * math.sqrt(each) / len(both), seeds.freedom
    estimate = over_contexts(np.array([mean(each) for each in both]), *error)
    return Found(NAME, estimate, wanted, 2 * sum(map(len, both)), dict.fromkeys(COSTS, 1.0))


def _differences(recipe: TabularBenchmark, plain: TabularBenchmark, name: str) -> Iterator[float]:
    """Of a network, a seed each."""
    ours = recipe.trainings(name) if name in recipe.architectures else {}
    for seed, other in plain.trainings(name).items():
        each = ours.get(seed)
        if each is not None and each.failure is None and other.failure is None:
            yield each.accuracy - other.accuracy
