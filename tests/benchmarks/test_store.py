"""The benchmark of the store asks a filled store, and prints what it saw."""

import json
from pathlib import Path

import pytest

from benchmarks import store as benchmark
from benchmarks.filled_store import EPOCHS, PROTOCOLS, fill
from search.query import protocols, state_counts
from search.store import TrialState, open_store

TRIALS = 60


def test_a_filled_store_is_like_one_of_a_search(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "s.db"), create=True) as store:
        fill(store, TRIALS, seed=3)
        counts = state_counts(store)
        assert sum(counts.values()) >= TRIALS
        assert all(counts[state] for state in (TrialState.COMPLETE, TrialState.PRUNED))
        assert {each.hash for each in protocols(store)} == set(PROTOCOLS)
        for study in store.studies.summaries():
            trials = store.trials.of_study(study.id)
            assert [trial.number for trial in trials] == list(range(len(trials)))
            curves = store.epochs.of_trials([trial.id for trial in trials])
            for trial in trials:
                values = [epoch.validation_accuracy for epoch in curves[trial.id]]
                assert trial.epochs_done == len(values)
                assert trial.accuracy == trial.last_accuracy == (values[-1] if values else None)
                assert (trial.state is TrialState.COMPLETE) is (len(values) == EPOCHS)


@pytest.mark.thorough
def test_it_prints_a_table_and_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark, "_LIVES", 2)
    given = ["--trials", str(TRIALS), "--runs", "3", "--optuna", str(TRIALS)]
    benchmark.main([*given, "--json"])
    found = json.loads(capsys.readouterr().out)
    assert {each["where"] for each in found} == {"SQLite", "Optuna, SQLite"}
    lives = [each for each in found if each["what"] == "a trial's life"]
    assert [each["runs"] for each in lives] == [2, 2]
    assert all(0 < each["cpu_ms"] <= each["cpu_p95_ms"] for each in found)
    timings = [benchmark.Timing(**each) for each in found]
    lines = benchmark.table([*timings, benchmark.Timing(9, "more", "SQLite", 1, 2, 3, 4)])
    assert "| 1.0 (2.0), 3.0 |" in lines
    assert lines.count("–") >= len(timings)  # what was not asked at another size


def test_a_server_takes_one_size(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        benchmark.main(["--url", "postgresql://h/d", "--trials", "60", "70"])
    assert "takes one size" in capsys.readouterr().err
