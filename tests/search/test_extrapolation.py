"""What stopped points would have reached, learnt from the others' curves."""

import numpy as np
import pytest

from search.searchers import Observation
from search.searchers.extrapolation import _follow, _regression, _Step, final_estimates
from search.trial_states import TrialState

EPOCHS = 9


def observation(curve: list[float], state: TrialState | None = None) -> Observation:
    metrics = {epoch: {"a": value} for epoch, value in enumerate(curve, 1)}
    state = state or (TrialState.COMPLETE if len(curve) == EPOCHS else TrialState.PRUNED)
    return Observation(state, metrics.get(len(curve), {}), metrics)


def curves(count: int, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    """Learning curves that differ less the longer they are."""
    rng = np.random.default_rng(seed)
    final = rng.uniform(0.6, 0.9, count)
    epochs = np.arange(1, EPOCHS + 1)
    clean = 0.7 + (final[:, None] - 0.7) * (2 - epochs / EPOCHS) - 0.4 / epochs
    return np.asarray(clean + rng.normal(0, noise, clean.shape))


def test_complete_points_are_what_they_are_and_unknown_ones_unknown() -> None:
    whole = curves(3)
    seen = [
        *map(observation, whole.tolist()),
        Observation(TrialState.RUNNING),
        Observation(TrialState.FAILED),
    ]
    found = final_estimates(seen, "a", EPOCHS)
    assert found.mean[:3].tolist() == whole[:, -1].tolist()
    assert found.variance[:3].tolist() == [0, 0, 0]
    assert np.isnan(found.mean[3:]).all()
    assert np.isnan(final_estimates(seen, "other", EPOCHS).mean).all()


@pytest.mark.parametrize("stopped_at", [1, 3])
def test_stopped_points_are_foretold_with_honest_doubt(stopped_at: int) -> None:
    """Of 400 stopped points nearly nine tenths lie where nine tenths should."""
    whole = curves(440)
    seen = [observation(c) for c in whole[:40].tolist()]
    seen += [observation(c[:stopped_at]) for c in whole[40:].tolist()]
    found = final_estimates(seen, "a", EPOCHS)
    off = (found.mean - whole[:, -1])[40:] / np.sqrt(found.variance[40:])
    assert 0.82 < np.mean(np.abs(off) < 1.645) < 0.98
    assert np.corrcoef(found.mean[40:], whole[40:, -1])[0, 1] > 0.8


def test_a_low_value_early_on_is_not_taken_as_final() -> None:
    whole = curves(20)
    seen = [observation(c) for c in whole[:19].tolist()] + [observation(whole[19, :1].tolist())]
    found = final_estimates(seen, "a", EPOCHS)
    assert abs(found.mean[19] - whole[19, -1]) < 0.1 < whole[19, -1] - whole[19, 0]


def test_it_goes_from_rung_to_rung_where_few_went_all_the_way() -> None:
    """Two points are complete, which is too few to learn from; but twelve went from 1 to 3."""
    whole = curves(30, noise=0.005)
    lengths = [9] * 2 + [3] * 10 + [1] * 18
    seen = [observation(c[:n]) for c, n in zip(whole.tolist(), lengths, strict=True)]
    found = final_estimates(seen, "a", EPOCHS)
    assert np.isfinite(found.mean).all()
    assert np.corrcoef(found.mean[12:], whole[12:, -1])[0, 1] > 0.9


@pytest.mark.parametrize("count", [1, 5])
def test_nobody_went_further_yet(count: int) -> None:
    seen = [observation(c[:1]) for c in curves(count).tolist()]
    found = final_estimates(seen, "a", EPOCHS)
    assert np.isfinite(found.mean).all()
    assert (found.variance > 0).all()
    assert np.argsort(found.mean).tolist() == np.argsort([o.values["a"] for o in seen]).tolist()


def test_a_curve_that_broke_down_counts_little() -> None:
    whole = curves(31, noise=0.005)
    seen = [observation(c) for c in whole[:30].tolist()] + [observation(whole[30, :3].tolist())]
    before = final_estimates(seen, "a", EPOCHS).mean[30]
    broken = whole[0].copy()
    broken[4:] = 0.1
    after = final_estimates([observation(broken.tolist()), *seen[1:]], "a", EPOCHS).mean[30]
    assert abs(after - before) < 0.02


def test_a_complete_point_that_ended_early_is_final_and_teaches_nobody() -> None:
    def curve(*metrics: float) -> dict[int, dict[str, float]]:
        return {epoch: {"a": metric} for epoch, metric in enumerate(metrics, 1)}

    whole = [
        Observation(TrialState.COMPLETE, {"a": x + 1}, curve(x, x + 1)) for x in (0.1, 0.3, 0.6)
    ]
    stopped = Observation(TrialState.PRUNED, {"a": 0.4}, curve(0.4))
    early = [Observation(TrialState.COMPLETE, {"a": x}, curve(x)) for x in (0.2, 0.5)]
    alone = final_estimates([*whole, stopped], "a", 2)
    beside = final_estimates([*whole, stopped, *early], "a", 2)
    assert beside.mean[4:].tolist() == [0.2, 0.5]
    assert beside.variance[4:].tolist() == [0, 0]
    assert beside.mean[3] == pytest.approx(alone.mean[3], abs=0.02)
    assert beside.mean[3] > 1.3


def test_doubt_grows_with_the_square_of_each_slope_on_the_way() -> None:
    first = _Step(1, center=0.5, level=0.6, slope=3.0, residual=0.01, weight=4.0, breadth=2.0)
    last = _Step(2, center=0.7, level=0.8, slope=0.5, residual=0.02, weight=9.0, breadth=1.0)
    mean, variance = _follow({0: first, 1: last}, 0, 2, np.array([0.7]))
    reached, added = 0.6 + 3.0 * 0.2, 0.01 * (1 + 1 / 5 + 0.04 / 2)
    off = reached - 0.7
    assert mean == pytest.approx([0.8 + 0.5 * off])
    assert variance == pytest.approx([0.25 * added + 0.02 * (1 + 1 / 10 + off**2)])


def test_what_is_known_without_a_whole_curve_counts_where_it_was_reached() -> None:
    whole = [observation(curve) for curve in curves(8).tolist()]
    last = {EPOCHS: {"a": 0.75}}
    running = Observation(TrialState.RUNNING, {"a": 0.1}, last)
    other = Observation(TrialState.RUNNING, {"a": 0.1}, {EPOCHS: {"b": 0.75}})
    found = final_estimates([*whole, running, other], "a", EPOCHS)
    assert (found.mean[8], found.variance[8]) == (0.75, 0)
    assert np.isnan(found.mean[9])
    bare = Observation(TrialState.PRUNED, {"a": 0.4})  # as a store without curves has it
    first = Observation(TrialState.PRUNED, {"a": 0.4}, {1: {"a": 0.4}})
    lost = Observation(TrialState.FAILED, {"a": 0.4})
    found = final_estimates([*whole, bare, first, lost], "a", EPOCHS)
    assert found.mean[8] == found.mean[9]
    assert found.variance[8] == found.variance[9] > 0
    assert np.isnan(found.mean[10])


def test_before_anybody_went_further_all_that_differs_is_doubt() -> None:
    earlier, later = np.array([0.2, 0.4, 0.6, 0.8]), np.full(4, np.nan)
    step = _regression(earlier, later, 3)
    assert (step.target, step.center, step.level) == (3, 0.5, 0.5)
    assert (step.residual, step.breadth, step.weight) == (
        pytest.approx(0.05),
        pytest.approx(0.05),
        0.0,
    )
