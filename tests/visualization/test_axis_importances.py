"""Importances find an axis that was planted, sum to one, and know what chance gives."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from search.objectives import Objective
from search.query import Evaluated
from search.store import Store, open_store
from search.visualization.axis_importances import ENOUGH, AxisImportances, axis_importances
from search.visualization.figure_words import NothingToDraw
from search.visualization.study_figures import plot_axis_importances
from space import Architecture
from space.errors import InputError
from tests.dashboard import stores

ACCURACY = Objective("validation_accuracy", "maximise")
POINTS = [point for _, point in stores.points(80)]


def told(
    score: Callable[[Architecture], float], objective: Objective = ACCURACY
) -> AxisImportances | None:
    rng = np.random.default_rng(0)
    rows = [
        Evaluated(p.id, p.name, {objective.name: score(p) + 0.01 * rng.random()}, 1, "p")
        for p in POINTS
    ]
    return axis_importances(rows, POINTS, objective)


def is_dynamic(network: Architecture) -> bool:
    return all(mixer.dynamics != "static" for mixer in network.mixers())


PLANTED: dict[str, Callable[[Architecture], float]] = {
    "dynamics": lambda network: float(is_dynamic(network)),
    "block type": lambda network: float(network.block_type == "prenorm"),
    "depth": lambda network: float(network.depth),
    "width": lambda network: float(np.mean([stage.width for stage in network.stages])),
}


@pytest.mark.parametrize(
    ("axis", "direction"), [*((axis, "maximise") for axis in PLANTED), ("dynamics", "minimise")]
)
def test_a_planted_axis_is_the_most_important(axis: str, direction: str) -> None:
    sign = 1 if direction == "maximise" else -1
    objective = Objective("validation_accuracy", direction)  # type: ignore[arg-type]
    found = told(lambda network: sign * PLANTED[axis](network), objective)
    assert found is not None
    assert next(iter(found.shares)) == axis
    assert found.shares[axis] > found.chance[axis]
    assert sum(found.shares.values()) == pytest.approx(1)
    assert min(found.shares.values()) >= 0
    assert list(found.shares.values()) == sorted(found.shares.values(), reverse=True)
    assert (found.total, found.best) == (80, 8)


def test_of_results_by_chance_few_axes_are_beyond_it() -> None:
    rng = np.random.default_rng(1)
    beyond = axes = 0
    for _ in range(3):
        drawn = dict(zip((p.id for p in POINTS), rng.random(len(POINTS)), strict=True))
        found = told(lambda network, drawn=drawn: drawn[network.id])  # type: ignore[misc]
        assert found is not None
        axes += len(found.shares)
        beyond += sum(share > found.chance[axis] for axis, share in found.shares.items())
    assert beyond / axes < 0.2


def test_results_that_are_alike_tell_nothing() -> None:
    rows = [Evaluated(p.id, p.name, {ACCURACY.name: 0.5}, 1, "p") for p in POINTS]
    assert axis_importances(rows, POINTS, ACCURACY) is None
    same = [POINTS[0]] * 30
    varied = [Evaluated(str(n), "x", {ACCURACY.name: n / 30}, 1, "p") for n in range(30)]
    assert axis_importances(varied, same, ACCURACY) is None


def test_the_figure_has_a_bar_and_a_mark_for_each_axis(finished: Store) -> None:
    bars, marks = plot_axis_importances(finished, "quickstart").data
    assert sum(bars.x) == pytest.approx(1)
    assert list(bars.y) == list(marks.y)
    assert list(bars.x) == sorted(bars.x)
    assert (plot_axis_importances(finished, "quickstart").data[1].x) == marks.x  # the same again
    costs, _ = plot_axis_importances(finished, "quickstart", target="params").data
    assert costs.y != bars.y
    with pytest.raises(InputError, match="target: 'acuracy' is not allowed"):
        plot_axis_importances(finished, "quickstart", target="acuracy")


def test_too_few_are_refused(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        study = stores.add_study(store, "s", 30)
        run = stores.begin_run(store, study.id)
        for number, (origin, point) in enumerate(stores.points(ENOUGH)):
            if number == ENOUGH - 1:
                with pytest.raises(NothingToDraw, match=f"need {ENOUGH} .* there are {number}"):
                    plot_axis_importances(store, "s")
            trial = stores.add_trial(store, study.id, run.id, origin, point)
            stores.train(store, trial, run.id, point, 1)
            store.trials.finish(trial, "complete")
        note = plot_axis_importances(store, "s").layout.title.subtitle.text
    assert f"{ENOUGH} completely trained architectures, the best 5 against all" in note
