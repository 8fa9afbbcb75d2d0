"""Real searches of seconds: what counts, what is inherited, what is printed."""

import re

import pytest

from benchmarks.live.methods import METHODS, LiveMethod
from benchmarks.live.run import LiveRun, LiveSettings, run
from benchmarks.live_search import show
from space import Architecture, DesignSpace
from tests.search.small import SPACE
from trainers import DataConfig, Protocol


@pytest.fixture(scope="module")
def settings() -> LiveSettings:
    """A handful of small networks, and trainings of a fraction of a second."""
    return LiveSettings(
        DesignSpace.from_dict(SPACE),
        DataConfig(limit_train=200, limit_validation=100),
        Protocol(epochs=3, batch_size=50, warmup_epochs=1),
        seconds=8,
    )


@pytest.mark.thorough
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_a_search_ends_with_its_seconds_and_trains_the_best_again(
    settings: LiveSettings, method: LiveMethod
) -> None:
    found = run(settings, method, seed=1)
    assert found.best is not None
    assert settings.space.contains(Architecture.from_json(found.best))
    spent = [seconds for seconds, _ in found.path]
    best = [accuracy for _, accuracy in found.path]
    assert spent == sorted(spent)
    assert spent[-1] < settings.seconds
    assert best == sorted(set(best))
    assert found.ends["complete"] >= 1
    assert found.ends["failed"] == 0
    assert found.ends["cut off"] <= 1
    assert found.final_test is not None
    if "inheriting" in found.method:
        assert found.inherited > 0
    else:
        assert found.inherited == 0


def test_the_table_shows_every_seed_and_says_when_there_is_nothing_yet() -> None:
    runs = [
        LiveRun(
            method.name,
            seed,
            ((10.0, 0.5), (60.0, 0.7 + seed / 10)),
            None,
            {"complete": 2, "pruned": 1, "failed": 0, "cut off": 1},
            0,
            0.6,
            0.5,
        )
        for method in METHODS
        for seed in range(2)
    ]
    shown = show(runs, seconds=100)
    row = re.sub(r" +", " ", shown.splitlines()[2])
    assert row.startswith(f"| {METHODS[0].name} | 50.00 (50.00, 50.00) | 50.00 (50.00, 50.00) |")
    assert "75.00 (70.00, 80.00)" in row
    assert "2 + 1 + 0" in row
    assert "–" in show(runs, seconds=30).splitlines()[2]


def test_the_documentation_of_the_arms_is_true() -> None:
    """The second method differs from the first by inheritance alone."""
    first, second, _ = METHODS
    assert (first.searcher, first.scheduler) == (second.searcher, second.scheduler)
    assert first.inherits
    assert not second.inherits
