"""The front over a study's own objectives, and the comparison with its random points."""

import json
from pathlib import Path

import numpy as np
import pytest

from search.cli.program import run_program
from search.objectives import Objective, Objectives, dominates, objectives_from
from search.query import comparison, front
from search.query.baseline import ENOUGH, ENOUGH_COMPLETE, compared
from search.store import Store, open_store
from space.cost import cost
from tests.support.samples import (
    add_study,
    add_trial,
    architecture,
    begin_run,
    complete_trial,
    epoch,
)

OBJECTIVES = {"validation_accuracy": "maximise", "macs": "minimise"}


def filled(store: Store, seed: int) -> dict[str, tuple[float, float]]:
    """A study of 30 complete trials; accuracy and minus MACs of each architecture."""
    study = add_study(store, "s", objective={"objectives": OBJECTIVES, "constraints": {}})
    run = begin_run(store, study.id)
    found = {}
    for number, accuracy in enumerate(np.random.default_rng(seed).uniform(0.1, 0.9, 30)):
        complete_trial(store, study.id, run.id, number, float(accuracy))
        one = architecture(number)
        found[one.id] = (float(accuracy), -float(cost(one).macs))
    pruned = add_trial(store, study.id, run.id, 40)
    store.epochs.record(pruned.id, epoch(1, 0.99))
    store.trials.finish(pruned.id, "pruned", "rung")
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_front_is_what_nothing_dominates(store: Store, seed: int) -> None:
    points = filled(store, seed)
    wanted = {
        id_
        for id_, point in points.items()
        if not any(dominates(other, point) for other in points.values())
    }
    rows = front(store, "s", objectives_from(OBJECTIVES))
    assert {row.architecture_id for row in rows} == wanted
    accuracies = [row.values["validation_accuracy"] for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(rows) == len(wanted)


def test_what_breaks_a_constraint_is_not_on_the_front(store: Store) -> None:
    points = filled(store, 0)
    bound = float(np.median([macs for _, macs in points.values()]))
    objectives = objectives_from(OBJECTIVES, {"macs": -bound})
    kept = {id_: point for id_, point in points.items() if point[1] >= bound}
    wanted = {
        id_
        for id_, point in kept.items()
        if not any(dominates(other, point) for other in kept.values())
    }
    assert {row.architecture_id for row in front(store, "s", objectives)} == wanted
    assert front(store, "s", objectives_from(OBJECTIVES, {"macs": 1})) == []


def test_repeats_count_with_their_mean_and_clauses_narrow(store: Store) -> None:
    study = add_study(store, "s")
    run = begin_run(store, study.id)
    for repeat, accuracy in enumerate((0.5, 0.7)):
        complete_trial(store, study.id, run.id, 0, accuracy, repeat=repeat)
    objectives: Objectives = objectives_from(OBJECTIVES)
    (row,) = front(store, "s", objectives)
    assert (row.values["validation_accuracy"], row.repeats) == (pytest.approx(0.6), 2)
    assert front(store, "s", objectives, where="params < 10") == []


def test_the_command_prints_the_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "s.db")
    with open_store(path, create=True) as store:
        filled(store, 0)
        wanted = front(store, "s", objectives_from(OBJECTIVES))
        add_study(store, "single")
    command = ["best", "--store", path, "--pareto"]
    assert run_program([*command, "--study", "s", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [row["architecture_id"] for row in printed] == [r.architecture_id for r in wanted]
    assert set(printed[0]["values"]) >= set(OBJECTIVES)
    assert run_program([*command, "--study", "s"]) == 0
    out = capsys.readouterr().out
    for word in (wanted[0].architecture_id, "validation_accuracy", "macs"):
        assert word in out
    for bad in ([], ["--study", "single"], ["--study", "none"]):
        assert run_program([*command, *bad]) == 2
    assert "one objective" in capsys.readouterr().err


# Beside random points


def test_a_study_without_random_points_is_not_compared(store: Store) -> None:
    study = add_study(store, "s")
    complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.5)
    assert comparison(store, "s") is None


def test_a_study_that_wants_random_points_and_has_none_is_told_so(store: Store) -> None:
    study = add_study(store, "s", searcher="tpe", config={"random_baseline": 0.1})
    complete_trial(store, study.id, begin_run(store, study.id).id, 0, 0.5, origin="tpe")
    found = comparison(store, "s")
    assert found is not None
    assert found.sentence == (
        "Against random search: 0 random and 1 searched evaluations, 0 and 1 of them trained to "
        "the end, are too few to tell (10 of each are needed, among them 3 trained to the end)."
    )


def test_the_searcher_is_compared_at_equal_numbers_of_evaluations(store: Store) -> None:
    study = add_study(store, "s", searcher="tpe")
    run = begin_run(store, study.id)
    for number in range(ENOUGH):
        complete_trial(store, study.id, run.id, number, 0.5, origin="random baseline")
    for number in range(ENOUGH, 2 * ENOUGH):
        complete_trial(store, study.id, run.id, number, 0.6, origin="tpe")
    # Neither what comes later, nor repeats, nor first points count.
    complete_trial(store, study.id, run.id, 50, 0.99, origin="tpe")
    complete_trial(store, study.id, run.id, 0, 0.99, origin="random baseline", repeat=1)
    complete_trial(store, study.id, run.id, 51, 0.99, origin="named:ViT")
    found = comparison(store, "s")
    assert found is not None
    assert (found.random, found.searched) == (ENOUGH, ENOUGH + 1)
    assert (found.improvement, found.low, found.high) == pytest.approx((0.2, 0.2, 0.2))
    said = "by the best validation_accuracy of what was trained to the end (higher is better)"
    assert said in found.sentence
    assert "+20.00% relative" in found.sentence


@pytest.mark.parametrize(
    ("objectives", "words", "improvement"),
    [
        # The searcher has the lower loss, half the MACs, and the lower accuracy.
        ({"validation_loss": "minimise"}, ("validation_loss", "lower"), 0.25),
        ({"validation_loss": "minimise", "macs": "minimise"}, ("validation_loss", "lower"), 0.25),
        ({"validation_loss": "maximise"}, ("validation_loss", "higher"), -0.25),
        ({"validation_accuracy": "maximise"}, ("validation_accuracy", "higher"), -0.2),
    ],
)
def test_the_first_objective_decides(
    store: Store, objectives: dict[str, str], words: tuple[str, str], improvement: float
) -> None:
    study = add_study(store, "s", searcher="tpe", objective={"objectives": objectives})
    run = begin_run(store, study.id)
    for number in range(2 * ENOUGH):
        random = number < ENOUGH
        trial = add_trial(
            store, study.id, run.id, number, origin="random baseline" if random else "tpe"
        )
        for index, loss in enumerate((2.0, 4.0) if random else (3.0, 1.5)):
            accuracy = 0.5 if random else 0.4
            store.epochs.record(trial.id, epoch(index + 1, accuracy, validation_loss=loss))
        store.trials.finish(trial.id, "complete")
    found = comparison(store, "s")
    assert found is not None
    assert (found.improvement, found.low, found.high) == pytest.approx((improvement,) * 3)
    name, better = words
    said = f"by the best {name} of what was trained to the end ({better} is better)"
    assert said in found.sentence


@pytest.mark.parametrize(
    ("objective", "fates"),
    [
        ({"validation_accuracy": "maximise"}, (0.5, 0.6)),
        ({"validation_loss": "minimise"}, (2.0, 1.6)),
        ({"macs": "minimise"}, (0.0, 0.0)),
    ],
    ids=str,
)
def test_what_was_pruned_is_an_evaluation_and_never_the_best(
    store: Store, objective: dict[str, str], fates: tuple[float, float]
) -> None:
    """Whatever its last epoch had, and however cheap it is; so it is with either side."""
    ((name, direction),) = objective.items()
    study = add_study(store, "s", searcher="tpe", objective={"objectives": objective})
    run = begin_run(store, study.id)
    macs: dict[str, list[int]] = {"random baseline": [], "tpe": []}
    for number in range(4 * ENOUGH):
        origin, value = ("tpe", fates[1]) if number % 2 else ("random baseline", fates[0])
        stopped = number // 2 < ENOUGH
        trial = add_trial(store, study.id, run.id, number, origin=origin)
        unheard_of = 0.99 if direction == "maximise" else 0.01
        metric = unheard_of if stopped else value
        loss = {"validation_loss": metric} if name == "validation_loss" else {}
        store.epochs.record(trial.id, epoch(1, metric, **loss))
        store.trials.finish(trial.id, "pruned" if stopped else "complete", "rung" * stopped)
        if not stopped:
            macs[origin].append(cost(architecture(number)).macs)
    found = comparison(store, "s")
    assert found is not None
    assert (found.random, found.searched) == (2 * ENOUGH,) * 2
    assert (found.random_complete, found.searched_complete) == (ENOUGH,) * 2
    wanted = 1 - min(macs["tpe"]) / min(macs["random baseline"]) if name == "macs" else 0.2
    assert found.improvement == pytest.approx(wanted)


@pytest.mark.parametrize(("random", "searched"), [(2, 10), (10, 2), (0, 10), (3, 3)])
def test_without_some_trained_to_the_end_nothing_is_compared(random: int, searched: int) -> None:
    sides = [[*[0.5] * whole, *[None] * (ENOUGH - whole)] for whole in (random, searched)]
    found = compared(*sides)
    assert (found.random_complete, found.searched_complete) == (random, searched)
    assert (found.improvement is None) is (min(random, searched) < ENOUGH_COMPLETE)
    if found.improvement is None:
        assert f"{random} and {searched} of them trained to the end, are too few" in found.sentence


def test_a_cost_may_be_the_first_objective(store: Store) -> None:
    study = add_study(store, "s", searcher="tpe", objective={"objectives": {"macs": "minimise"}})
    run = begin_run(store, study.id)
    macs: dict[str, list[int]] = {"random baseline": [], "tpe": []}
    for number in range(2 * ENOUGH):
        origin = "random baseline" if number % 2 else "tpe"
        complete_trial(store, study.id, run.id, number, 0.5, origin=origin)
        macs[origin].append(cost(architecture(number)).macs)
    found = comparison(store, "s")
    assert found is not None
    wanted = 1 - min(macs["tpe"]) / min(macs["random baseline"])
    assert found.improvement == pytest.approx(wanted)


def test_what_breaks_a_measured_bound_is_no_evaluation_to_compare(store: Store) -> None:
    objective = {
        "objectives": {"validation_accuracy": "maximise"},
        "constraints": {"validation_loss": 1.0},
    }
    study = add_study(store, "s", searcher="tpe", objective=objective)
    run = begin_run(store, study.id)
    for number in range(2 * ENOUGH + 2):
        origin = "tpe" if number % 2 else "random baseline"
        breaks = number < 2
        trial = add_trial(store, study.id, run.id, number, origin=origin)
        values = epoch(1, 0.9 if breaks else 0.5, validation_loss=1.1 if breaks else 1.0)
        store.epochs.record(trial.id, values)
        store.trials.finish(trial.id, "complete")
    found = comparison(store, "s")
    assert found is not None
    assert (found.random, found.searched) == (ENOUGH, ENOUGH)
    assert found.improvement == 0


def test_too_few_evaluations_are_said_to_be_too_few() -> None:
    found = compared([0.5] * (ENOUGH - 1), [0.9] * 100)
    assert found.improvement is None
    assert "too few" in found.sentence
    assert compared([0.0] * ENOUGH, [0.9] * ENOUGH).improvement is None


def test_what_was_compared_has_the_same_interval_each_time() -> None:
    random, searched = np.random.default_rng(3).uniform(0.5, 1, (2, 30)).tolist()
    assert compared(random, searched) == compared(random, searched)


def test_what_is_minimised_is_compared_the_other_way_round() -> None:
    rng = np.random.default_rng(2)
    random, searched = rng.uniform(0.5, 1, (2, 30)).tolist()
    found = compared(random, searched, Objective("validation_loss", "minimise"))
    assert found.improvement == pytest.approx(1 - min(searched) / min(random))
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.improvement <= found.high


def test_the_interval_holds_the_improvement_and_narrows_with_the_scatter() -> None:
    rng = np.random.default_rng(1)
    widths = []
    for _ in range(50):
        random, searched = rng.normal(0.8, 0.02, (2, 40)).tolist()
        steady = compared([0.8 + 0.01 * (each - 0.8) for each in random], searched)
        found = compared(random, searched)
        assert found.improvement is not None
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.improvement <= found.high
        assert steady.low is not None
        assert steady.high is not None
        widths.append((found.high - found.low, steady.high - steady.low))
    assert all(wide > 10 * narrow for wide, narrow in widths)
