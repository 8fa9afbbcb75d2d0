"""Workers of Ray make the same study as all executors: for some pairs, with `-m slow` for all."""

from pathlib import Path

import pytest

from search.config import Config
from search.runner import run_study
from tests.search.small import Silent
from tests.search.test_executors import (
    ONE,
    PAIRS,
    Ended,
    ended_in_the_store,
    local,
    name_of,
    settings_of,
)

pytestmark = [
    pytest.mark.ray,
    pytest.mark.thorough,
    pytest.mark.usefixtures("coarse_gp", "small_reservoir"),
]

TRAINING = "tests.search.made_up_training:make_training"
ON_RAY = [("surrogate", "asha", ONE)]
"""A Ray takes seconds to start, so the others are slow tests."""


def with_ray(settings: Config) -> list[Ended]:
    run_study(settings, resume=False, watcher=Silent(), training=TRAINING)
    return ended_in_the_store(settings)


@pytest.mark.parametrize(
    ("searcher", "scheduler", "objectives"),
    [pytest.param(*pair, marks=[] if pair in ON_RAY else pytest.mark.slow) for pair in PAIRS],
    ids=name_of,
)
def test_workers_of_ray_make_it_too(
    searcher: str, scheduler: str, objectives: dict[str, str], tmp_path: Path
) -> None:
    given = settings_of(tmp_path, searcher, scheduler, objectives)
    assert with_ray(given) == local(given)
