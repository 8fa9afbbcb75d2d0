"""No-op trials: histories that both sides read, and time that is counted once."""

import time
from pathlib import Path

import optuna
import pytest

from benchmarks.no_op import ours, plain
from benchmarks.no_op.figures import PLAIN, Overhead, Spread, over_rounds
from benchmarks.no_op.methods import TimedSearch, own, plain_script
from benchmarks.no_op.stopwatch import Stopwatch
from benchmarks.overhead import show
from search.store import TrialState, open_store


class Inner:
    def work(self, seconds: float) -> float:
        time.sleep(seconds)
        return seconds


class Outer:
    def work(self, inner: Inner) -> None:
        time.sleep(0.02)
        inner.work(0.05)
        self.end()

    def end(self) -> None:
        """A trial has ended."""


def test_time_in_an_inner_share_counts_for_that_share_alone() -> None:
    stopwatch, outer, inner = Stopwatch(), Outer(), Inner()
    shares = {"outer": [(Outer, "work")], "inner": [(Inner, "work")]}
    with stopwatch.timing(shares), stopwatch.noting_ends(Outer, "end"):
        outer.work(inner)
        stopwatch.seconds.clear()
        begun = time.perf_counter()
        for _ in range(3):
            outer.work(inner)
        assert inner.work(0.0) == 0.0
        whole = time.perf_counter() - begun
    counted = dict(stopwatch.seconds)
    assert counted["outer"] >= 0.06
    assert counted["inner"] >= 0.15
    assert counted["outer"] + counted["inner"] <= whole  # nothing is counted twice
    assert len(stopwatch.ends) == 4
    outer.work(inner)  # counts no more
    assert dict(stopwatch.seconds) == counted


def test_the_store_has_the_history_that_was_asked_for(tmp_path: Path) -> None:
    ours.write_history(tmp_path, "tpe", 7)
    with open_store(str(tmp_path / "mixspace.db"), create=False) as store:
        study = store.studies.get("no-op-tpe")
        trials = list(store.trials.of_study(study.id))
    assert study.searcher == "tpe"
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 7
    assert all(trial.best_accuracy is not None for trial in trials)


def test_optuna_reads_the_history_that_was_copied(tmp_path: Path) -> None:
    plain.write_history(tmp_path, 30)
    study = optuna.load_study(study_name=plain.STUDY, storage=f"sqlite:///{tmp_path / plain.FILE}")
    trials = study.get_trials()
    assert [trial.number for trial in trials] == list(range(30))
    assert {trial.state for trial in trials} == {optuna.trial.TrialState.COMPLETE}
    assert len({tuple(trial.params.items()) for trial in trials}) > 25
    assert len({trial.value for trial in trials}) == 30
    assert all(set(trial.params) == set(plain.parameters()) for trial in trials)


def row(name: str, each: float) -> Overhead:
    shares = {"searcher": 1.0, "store": 2.0, "rest": each - 3.0}
    return Overhead(name, 7, 20, each, each, each, shares, 4.0)


def test_rounds_are_compared_with_the_plain_script_of_the_same_round() -> None:
    mine = [row("random", each) for each in (10.0, 40.0, 20.0)]  # the second: a slow machine
    plain_script = [row(PLAIN, each) for each in (150.0, 480.0, 220.0)]
    found = over_rounds(mine, plain_script)
    assert found.each == Spread(20.0, 10.0, 40.0)
    assert found.times_less == Spread(12.0, 11.0, 15.0)
    assert found.rounds == mine
    assert over_rounds(mine, ()).times_less is None
    shown = show([found, over_rounds(plain_script, plain_script)])
    assert "20.0 (10.0 – 40.0)" in shown
    assert "12.0 (11.0 – 15.0)" in shown
    assert "1.0 (1.0 – 1.0)" not in shown  # the plain script with itself


def test_every_round_begins_with_the_same_history(tmp_path: Path) -> None:
    def run(folder: Path) -> Overhead:
        found = sorted(path.name for path in folder.iterdir())
        (folder / "trials of this round").touch()
        return row(" ".join(found), 5.0)

    def write(folder: Path) -> None:
        (folder / "history").touch()

    method, empty = TimedSearch("random", 7, write, run), TimedSearch("random", 0, write, run)
    for each in (method, empty):
        each.prepare(tmp_path)
    assert [method.measure(tmp_path).name for _ in range(3)] == ["history"] * 3
    assert [empty.measure(tmp_path).name for _ in range(2)] == ["", ""]


@pytest.mark.slow
@pytest.mark.ray
def test_both_sides_run_their_trials_after_a_history(tmp_path: Path) -> None:
    methods = own("random", history=5, trials=6), plain_script(history=5, trials=6)
    rounds = []
    for method in methods:
        method.prepare(tmp_path)
        rounds.append([method.measure(tmp_path) for _ in range(2)])
    for each in (one for rows in rounds for one in rows):
        assert each.trials == 6
        assert each.each > 0
        assert each.shares["store"] > 0
        assert each.shares["searcher"] > 0
        assert sum(each.shares.values()) == pytest.approx(each.each)
    mine, theirs = rounds
    assert PLAIN in show([over_rounds(mine, theirs), over_rounds(theirs, theirs)])
