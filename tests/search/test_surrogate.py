"""The surrogate's parts against slow and obvious definitions, and what it promises."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm
from threadpoolctl import threadpool_info, threadpool_limits

from search.objectives import Constraint, Objective, Objectives, hypervolume
from search.searchers import Exhausted, Observation, Task, make_searcher
from search.searchers.extrapolation import final_estimates
from search.searchers.ranked_history import RankedPoint
from search.searchers.surrogate import gaussian_process
from search.searchers.surrogate.batch_planning import BatchPlanner, _believed
from search.searchers.surrogate.candidates import Candidates
from search.searchers.surrogate.gaussian_process import (
    GaussianProcess,
    Hyperparameters,
    Matern,
    fit,
    log_evidence,
    prior_mode,
)
from search.searchers.surrogate.hypervolume_improvement import (
    FrontPartitioning,
    expected_improvement,
)
from search.searchers.surrogate.metric_models import (
    SUCCESS,
    MetricData,
    MetricModels,
    _spread_out,
    metric_data,
)
from search.testing.toy_spaces import Corner, Lattice
from search.trial_states import TrialState

SPACE = Lattice()


def sampled(count: int, seed: int = 0, columns: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Noisy values of a smooth function."""
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(count, columns))
    values = np.sin(points[:, 0]) + 0.5 * points[:, 1] + rng.normal(0, 0.1, count)
    return points, (values - values.mean()) / values.std()


GIVEN = Hyperparameters(Matern(np.array([1.0, 2.0, 3.0]), 1.3), 0.1)


def test_the_process_is_the_textbook_one_while_every_point_is_inducing() -> None:
    points, values = sampled(20)
    variances = np.linspace(0.1, 1, 20)
    found = GaussianProcess(points, values, variances, GIVEN, np.arange(20))
    new = np.random.default_rng(1).normal(size=(7, 3))
    noisy = GIVEN.kernel(points, points) + np.diag(variances + GIVEN.noise)
    inverse = np.linalg.inv(noisy)
    mean = inverse.sum(0) @ values / inverse.sum()
    across = GIVEN.kernel(new, points)
    belief = found.posterior(new)
    np.testing.assert_allclose(belief.mean, mean + across @ inverse @ (values - mean), atol=1e-4)
    variance = GIVEN.kernel.scale - np.einsum("ij,jk,ik->i", across, inverse, across)
    assert found.spread == 1  # no value is complete, so none tells of the spread
    np.testing.assert_allclose(belief.variance, variance, atol=1e-4)


def test_leaving_one_out_is_what_happens_without_it() -> None:
    points, values = sampled(15)
    # The mean is that of all points in both, so its share has to be small.
    values = values - values.mean()
    found = GaussianProcess(points, values, np.zeros(15), GIVEN, np.arange(15))
    noisy = GIVEN.kernel(points, points) + GIVEN.noise * np.eye(15)
    rest = np.arange(1, 15)
    solved = np.linalg.solve(noisy[np.ix_(rest, rest)], noisy[rest, 0])
    mean = found.mean + solved @ (values[rest] - found.mean)
    variance = noisy[0, 0] - solved @ noisy[rest, 0]
    assert found.left_out[0] == pytest.approx((values[0] - mean) / math.sqrt(variance), abs=1e-3)


def test_expecting_a_value_is_conditioning_on_it() -> None:
    points, values = sampled(20)
    new = np.random.default_rng(1).normal(size=(6, 3))
    belief = GaussianProcess(points, values, np.full(20, 0.1), GIVEN, np.arange(20)).posterior(new)
    means = belief.mean.copy()
    belief.condition_on_mean(2, GIVEN.noise)
    belief.condition_on_mean(4, GIVEN.noise)
    more = np.vstack([points, new[[2, 4]]])
    told = np.append(values, means[[2, 4]])
    doubts = np.append(np.full(20, 0.1), [0, 0])
    again = GaussianProcess(more, told, doubts, GIVEN, np.arange(22))
    np.testing.assert_array_equal(belief.mean, means)
    np.testing.assert_allclose(
        belief.variance, again.posterior(new).variance / again.spread, atol=1e-3
    )


def test_all_points_through_few_inducing_ones_tell_more_than_the_few_alone() -> None:
    points, values = sampled(400)
    new, truth = sampled(200, seed=5)
    few, none = np.arange(0, 400, 8), np.zeros(400)
    through = GaussianProcess(points, values, none, GIVEN, few).posterior(new)
    alone = GaussianProcess(points[few], values[few], none[few], GIVEN, np.arange(50)).posterior(
        new
    )
    assert np.std(through.mean - truth) < 0.9 * np.std(alone.mean - truth)


def test_the_gradient_of_the_likelihood_is_its_slope() -> None:
    points, values = sampled(12)
    variances = np.linspace(0, 0.5, 12)

    def likelihood(theta: np.ndarray) -> float:
        kernel = Matern(np.exp(theta[:3]), math.exp(theta[3]))
        noisy = kernel(points, points) + np.diag(variances + math.exp(theta[4]) + 1e-8)
        inverse = np.linalg.inv(noisy)
        residual = values - inverse.sum(0) @ values / inverse.sum()
        return float(-residual @ inverse @ residual - np.linalg.slogdet(noisy)[1]) / 2

    theta = np.array([0.3, 0.5, 1.0, -0.2, -1.5])
    slopes = [
        (likelihood(theta + step) - likelihood(theta - step)) / 2e-5 for step in 1e-5 * np.eye(5)
    ]
    evidence, gradient = log_evidence(points, values, variances, theta)
    assert evidence == pytest.approx(likelihood(theta))
    np.testing.assert_allclose(gradient, slopes, rtol=1e-4)


def test_columns_that_matter_get_shorter_lengths() -> None:
    points, values = sampled(80, columns=6)
    lengths = fit(points, values, np.zeros(80)).kernel.lengths
    assert max(lengths[:2]) < min(lengths[2:])


@pytest.mark.parametrize("count", [15, 40, 120])
def test_nine_tenths_of_new_values_lie_where_nine_tenths_should(count: int) -> None:
    inside = []
    for seed in range(5):
        points, values = sampled(count + 100, seed, columns=8)
        told, new = slice(0, count), slice(count, None)
        given = fit(points[told], values[told], np.zeros(count))
        process = GaussianProcess(
            points[told], values[told], np.zeros(count), given, np.arange(count)
        )
        belief = process.posterior(points[new])
        wide = 1.645 * np.sqrt(belief.variance + given.noise)
        inside.append(np.mean(np.abs(belief.mean - values[new]) < wide))
    assert 0.8 < np.mean(inside) < 0.98


def test_the_fit_is_a_maximum_of_the_posterior() -> None:
    """No hyperparameters around it are more probable, evidence and prior together."""
    points, values = sampled(60)
    doubts, spread = np.zeros(60), np.array([0.5, 0.5, 0.5, 0.7, 1.2])
    center, best = (
        np.log([*each.kernel.lengths, each.kernel.scale, each.noise])
        for each in (prior_mode(3, 3), fit(points, values, doubts))
    )

    def log_posterior(theta: np.ndarray) -> float:
        off = (theta - center) / spread
        return log_evidence(points, values, doubts, theta)[0] - float(off @ off) / 2

    moves = 0.03 * np.random.default_rng(0).normal(size=(50, 5)) * spread
    assert all(log_posterior(best + move) < log_posterior(best) for move in moves)


def test_while_it_fits_linear_algebra_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """NumPy's threads and SciPy's would wait for each other."""

    def threads() -> set[int]:
        return {each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"}

    seen: list[set[int]] = []

    def watched(*arguments: Any, **options: Any) -> Any:
        seen.append(threads())
        return minimize(*arguments, **options)

    monkeypatch.setattr(gaussian_process, "minimize", watched)
    with threadpool_limits(limits=2, user_api="blas"):
        fit(*sampled(20), np.zeros(20))
        assert (seen, threads()) == ([{1}, {1}], {2})


def test_expected_improvement_of_what_is_certain() -> None:
    found = expected_improvement(np.array([1.0, 3.0]), np.zeros(2), np.array([2.0]))
    assert found.tolist() == [0, 1]


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("known", [False, True])
def test_expected_hypervolume_improvement_is_the_mean_over_draws(width: int, known: bool) -> None:
    rng = np.random.default_rng(width)
    best, reference = rng.uniform(0, 1, (8, width)), np.full(width, -0.1)
    mean, deviation = rng.uniform(0.3, 1, width), rng.uniform(0.1, 0.4, width)
    if known and width > 1:
        deviation[0] = 0
    draws = rng.normal(mean, deviation, (2000, width))
    before = hypervolume(best, reference)
    gains = [hypervolume([*best, draw], reference) - before for draw in draws]
    found = FrontPartitioning(best, reference).expected_improvement(mean[None], deviation[None])[0]
    assert found == pytest.approx(np.mean(gains), abs=4 * np.std(gains) / math.sqrt(len(gains)))


def test_the_usual_kernel_leaves_out_what_never_differs() -> None:
    assert prior_mode(10, 4).kernel.lengths.tolist() == [prior_mode(4, 4).kernel.lengths[0]] * 10
    for columns, root in ((0, 1.0), (1, 1.0), (9, 3.0)):
        found = prior_mode(2, columns)
        assert found.kernel.lengths.tolist() == pytest.approx([math.e * root] * 2)
        assert found.kernel.scale == 1.0


def test_a_column_that_never_differs_changes_nothing_of_the_fit() -> None:
    points, values = sampled(30)
    alone = fit(points, values, np.zeros(30))
    beside = fit(np.column_stack([points, np.ones(30)]), values, np.zeros(30))
    assert beside.kernel.lengths[:3] == pytest.approx(alone.kernel.lengths, rel=1e-3)
    assert (beside.kernel.scale, beside.noise) == pytest.approx(
        (alone.kernel.scale, alone.noise), rel=1e-3
    )


def test_what_is_known_before_evaluation_is_not_learnt() -> None:
    wanted = Objectives([Objective("loss", "minimise"), Objective("cost", "minimise")])
    task = Task(SPACE, wanted, lambda point: {"cost": float(sum(point))})
    values = {"loss": 0.5, "cost": 3.0}
    seen = Observation(TrialState.COMPLETE, values, {1: values})
    entries = [RankedPoint(0, (1, 2), seen)]
    assert [data.name for data in metric_data(task, entries)] == ["loss", SUCCESS]


@pytest.mark.parametrize("seed", range(3))
def test_of_many_points_the_best_the_worst_and_some_of_all_times_are_fitted(seed: int) -> None:
    values = np.random.default_rng(seed).permutation(100.0 * np.arange(200))
    data: MetricData[object] = MetricData("a", [], values, np.zeros(200), 0.0, 1.0)
    rows = _spread_out(data, 40)
    assert len(rows) <= 40
    assert list(rows) == sorted(set(rows))
    assert {*np.argsort(values)[:5], *np.argsort(values)[-5:]} <= set(rows)
    assert max(np.diff(rows)) <= 8  # 30 others in 190 rows
    assert list(_spread_out(data, 200)) == list(range(200))


def test_the_front_that_is_believed_has_no_point_that_breaks_a_bound_by_little() -> None:
    known = {"cost": 1.05}  # of a bound of 1
    for upper, count in ((1.0, 0), (1.1, 3)):
        wanted = Objectives((Objective("accuracy"),), (Constraint("cost", upper=upper),))
        task = Task(SPACE, wanted, lambda point: known)
        points = [(step, 0, 0, 0, 0, 0) for step in range(3)]
        entries: list[RankedPoint[Any]] = [
            RankedPoint(n, point, Observation(TrialState.COMPLETE, {"accuracy": n / 10}))
            for n, point in enumerate(points)
        ]
        candidates = Candidates(task, 0)
        models = MetricModels(task, candidates, entries, {})
        assert _believed(task, models, entries).shape == (count, 1)


@pytest.mark.parametrize("direction", ["maximise", "minimise"])
def test_what_fails_is_learnt_and_a_disaster_dwarfs_nothing(direction: Any) -> None:
    """A failure tells of chances, unless it breaks what was said beforehand; who runs, nothing."""
    wanted = Objectives((Objective("loss", direction),), (Constraint("size", upper=5.0),))
    task: Task[Any] = Task(SPACE, wanted)
    sign = 1 if direction == "maximise" else -1
    seen = [
        *(Observation(TrialState.COMPLETE, {"loss": sign * v, "size": 1.0}) for v in range(8)),
        Observation(TrialState.PRUNED, {"loss": sign * -1e6, "size": 1.0}),
        Observation(TrialState.FAILED, {"size": 1.0}),
        Observation(TrialState.INFEASIBLE, {"size": 9.0}),
        Observation(TrialState.RUNNING, {"size": 1.0}),
    ]
    entries = [RankedPoint(n, (n, 0, 0, 0, 0, 0), each) for n, each in enumerate(seen)]
    loss, success = (
        next(each for each in metric_data(task, entries) if each.name == name)
        for name in ("loss", SUCCESS)
    )
    assert [entry.number for entry in success.entries] == list(range(10))
    assert (success.center + success.scale * success.values).tolist() == pytest.approx(
        [1.0] * 9 + [0.0]
    )
    given = loss.center + loss.scale * loss.values
    assert given[:8].tolist() == pytest.approx([sign * v for v in range(8)])
    # Two quartile distances below the lower quartile of 1, 5 of -1e6, 0 … 7.
    assert given[8] == pytest.approx(sign * -7.0)


def test_metrics_are_standardised_and_their_doubts_with_them() -> None:
    task: Task[Any] = Task(SPACE, Objectives((Objective("loss"),)), fidelities=3)
    rng = np.random.default_rng(0)
    seen = []
    for number in range(12):
        curve = {epoch: {"loss": 100 * (epoch + rng.random())} for epoch in (1, 2, 3)}
        done = number % 4 != 3
        curve = curve if done else {1: curve[1]}
        state = TrialState.COMPLETE if done else TrialState.PRUNED
        seen.append(Observation(state, curve[max(curve)], curve))
    estimates = final_estimates(seen, "loss", 3)
    entries = [RankedPoint(n, (n, 0, 0, 0, 0, 0), each) for n, each in enumerate(seen)]
    (data, _) = metric_data(task, entries)
    assert [entry.number for entry in data.entries] == list(range(12))
    assert data.center == pytest.approx(estimates.mean.mean())
    assert data.scale == pytest.approx(estimates.mean.std())
    assert data.center + data.scale * data.values == pytest.approx(estimates.mean)
    assert data.scale**2 * data.variances == pytest.approx(estimates.variance)
    assert sum(data.variances > 0) == 3
    same = [RankedPoint(n, n, Observation(TrialState.COMPLETE, {"loss": 1e9})) for n in (0, 1)]
    (flat, _) = metric_data(Task(SPACE, task.objectives), same)
    assert (flat.center, flat.scale, flat.values.tolist()) == (1e9, 1.0, [0.0, 0.0])


def test_metrics_have_the_hyperparameters_that_were_fitted_and_else_the_usual_ones() -> None:
    task: Task[Any] = Task(SPACE, Objectives((Objective("accuracy"), Objective("loss"))))
    points = [(step, 0, 0, 0, 0, 0) for step in range(4)]
    entries = [
        RankedPoint(n, p, Observation(TrialState.COMPLETE, {"accuracy": n / 10, "loss": n / 10}))
        for n, p in enumerate(points)
    ]
    candidates = Candidates(task, 0)
    usual = candidates.prior_mode
    noisy = replace(usual, noise=7 * usual.noise)
    found = MetricModels(task, candidates, entries, {"accuracy": noisy}).posterior(points)
    assert (found["accuracy"].noise, found["loss"].noise) == (noisy.noise, usual.noise)
    assert found["accuracy"].deviation[0] > found["loss"].deviation[0]
    assert found["accuracy"].mean.mean() == pytest.approx(found["loss"].mean.mean())


def test_candidates_change_slowly() -> None:
    candidates = Candidates(Task(SPACE), 0)
    first, later = set(candidates.drawn(0)), set(candidates.drawn(5))
    assert first < later
    assert len(first & set(candidates.drawn(200))) < 0.2 * len(first)  # by chance
    assert set(candidates.drawn(0)) == first


def test_known_metric_are_used_and_not_learnt() -> None:
    """Accuracy against a known cost: the front that is found covers nearly all there is."""
    objectives = Objectives(
        (Objective("accuracy"), Objective("cost", "minimise")), (Constraint("cost", upper=16),)
    )
    task = Task(SPACE, objectives, lambda point: {"cost": float(sum(point))})

    def covered(name: str) -> float:
        searcher, found = make_searcher(name, task, 0), []
        for _ in range(60):
            point = searcher.ask()
            values = {"accuracy": SPACE.value(point)}
            searcher.tell(point, Observation(TrialState.RUNNING))
            searcher.tell(point, Observation(TrialState.COMPLETE, values, {}))
            found.append(task.vector(point, values))
        return hypervolume(found, (-15, -17))

    assert covered("surrogate") > 1.2 * covered("random")


class Walled(Lattice):
    """A lattice of which random draws find nothing that is allowed, but neighbours do."""

    def sample(self, rng: np.random.Generator) -> tuple[int, ...]:
        return (4, *super().sample(rng)[1:])


def wall() -> Task[tuple[int, ...]]:
    objectives = Objectives((Objective("value"),), (Constraint("first", upper=1),))
    return Task(Walled(), objectives, lambda point: {"first": float(point[0])})


def test_without_any_random_candidate_it_searches_around_what_it_was_told() -> None:
    searcher, asked = make_searcher("surrogate", wall(), 0), [(1, 1, 1, 1, 1, 1)]
    for _ in range(20):
        value = {"value": SPACE.value(asked[-1])}
        searcher.tell(asked[-1], Observation(TrialState.COMPLETE, value, {1: value}))
        asked.append(searcher.ask())
    assert len(set(asked)) == 21
    assert all(point[0] <= 1 for point in asked)
    assert max(map(SPACE.value, asked)) > SPACE.value(asked[0])


def test_without_any_random_candidate_and_told_nothing_it_says_that_nothing_is_found() -> None:
    with pytest.raises(Exhausted, match="no point of the space was found"):
        make_searcher("surrogate", wall(), 0).ask()


def test_a_chunk_keeps_the_points_that_were_found_before_a_search_in_vain() -> None:
    objectives = Objectives((Objective("accuracy"),), (Constraint("cost", upper=Corner.reach),))
    task = Task(Corner(), objectives, lambda point: {"cost": float(sum(point))})
    found = list(Candidates(task, 0).drawn(0))
    assert 45 < len(found) < 32 * 32
    assert all(task.feasible(point) for point in found)


@dataclass
class Believed:
    """Of one metric, as `MetricPosterior` says it."""

    mean: np.ndarray
    deviation: np.ndarray
    scale: float = 1.0

    def condition_on_mean(self, place: int) -> None:
        self.deviation[place] = 0.0


def test_the_chance_to_keep_bounds_on_both_sides_and_to_end_well_counts() -> None:
    wanted = Objectives(
        (Objective("cost", "minimise"),),
        (
            Constraint("loss", upper=0.5, lower=0.1),
            Constraint("rate", upper=2.0),
            Constraint("gain", lower=-1.0),
            Constraint("cost", upper=9.0),  # known: such a point is never a candidate
        ),
    )
    points = [(step, 0, 0, 0, 0, 0) for step in range(4)]
    task = Task(SPACE, wanted, lambda point: {"cost": float(point[0])})
    rng = np.random.default_rng(0)
    beliefs = {
        name: Believed(rng.normal(0.3, 0.5, 4), rng.uniform(0.1, 1, 4))
        for name in ("loss", "rate", "gain", SUCCESS)
    }
    beliefs["rate"].mean[3], beliefs["rate"].deviation[3] = 2.5, 0.0
    front = FrontPartitioning(np.empty((0, 1)), np.array([-9.0]))
    planner = BatchPlanner(task, points, beliefs, 0, front)  # type: ignore[arg-type]

    def below(name: str, bound: float) -> np.ndarray:
        spread = np.maximum(beliefs[name].deviation, 1e-12)
        return np.asarray(norm.cdf((bound - beliefs[name].mean) / spread))

    kept = below("loss", 0.5) * (1 - below("loss", 0.1))
    expected = kept * below("rate", 2.0) * (1 - below("gain", -1.0)) * (1 - below(SUCCESS, 0.5))
    np.testing.assert_allclose(planner._feasible(), expected, atol=1e-12)
    assert planner._feasible()[3] == 0
    chosen = planner.batch(2, 9)
    assert len(chosen) == len(set(chosen)) == 4
    order = np.argsort(-expected * (9.0 - np.arange(4)))
    assert chosen[0] == points[order[0]]


def test_of_a_crowded_front_the_least_crowded_are_kept() -> None:
    angles = np.linspace(0, np.pi / 2, 200)
    circle = np.array([np.cos(angles), np.sin(angles)]).T
    few, many = FrontPartitioning(circle[:64], np.full(2, -1.0)), circle
    assert len(few.rows) == 64
    found = FrontPartitioning(many, np.full(2, -1.0))
    assert len(found.rows) == 64
    for end in (circle[0], circle[-1]):  # nothing is beyond them, so they crowd nobody
        assert (found.rows == end).all(1).any()
    alone = FrontPartitioning(np.arange(100.0)[:, None], np.array([-1.0]))
    assert alone.rows.tolist() == [[99.0]]
    ball = np.abs(np.random.default_rng(0).normal(size=(200, 3)))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)  # none is better than another
    assert len(FrontPartitioning(ball, np.zeros(3)).rows) == 63  # of 64 edges are 4,096 cells
