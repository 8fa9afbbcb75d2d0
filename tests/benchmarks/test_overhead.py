"""No-op trials: histories that both sides read, and time that is counted once."""

import time
from pathlib import Path

import optuna
import pytest

from benchmarks.no_op import ours, plain
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
        study = store.study("no-op-tpe")
        trials = list(store.trials(study.id))
    assert study.searcher == "tpe"
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * 7
    assert all(trial.best_accuracy is not None for trial in trials)


def test_optuna_reads_the_history_that_was_copied(tmp_path: Path) -> None:
    plain.write_history(tmp_path / "optuna.db", 30)
    study = optuna.load_study(study_name=plain.STUDY, storage=f"sqlite:///{tmp_path / 'optuna.db'}")
    trials = study.get_trials()
    assert [trial.number for trial in trials] == list(range(30))
    assert {trial.state for trial in trials} == {optuna.trial.TrialState.COMPLETE}
    assert len({tuple(trial.params.items()) for trial in trials}) > 25
    assert len({trial.value for trial in trials}) == 30
    assert all(set(trial.params) == set(plain.parameters()) for trial in trials)


@pytest.mark.slow
@pytest.mark.ray
def test_both_sides_run_their_trials_after_a_history(tmp_path: Path) -> None:
    rows = []
    for name, measure in (
        ("ours", lambda folder: ours.measure(folder, "random", history=5, trials=6)),
        ("plain", lambda folder: plain.measure(folder, history=5, trials=6)),
    ):
        (tmp_path / name).mkdir()
        rows.append(measure(tmp_path / name))
    for row in rows:
        assert row.trials == 6
        assert row.each > 0
        assert row.shares["store"] > 0
        assert row.shares["searcher"] > 0
        assert sum(row.shares.values()) == pytest.approx(row.each)
    url = f"sqlite:///{tmp_path / 'plain' / 'optuna.db'}"
    trials = optuna.load_study(study_name=plain.STUDY, storage=url).get_trials()
    assert [trial.state for trial in trials] == [optuna.trial.TrialState.COMPLETE] * 12
    assert "plain script" in show(rows)
