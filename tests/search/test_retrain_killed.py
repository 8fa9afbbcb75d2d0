"""A full training that is killed half-way ends with the weights of an unbroken one; real Ray."""

import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from search.cli.program import run_program
from search.store import TrialState, open_store
from tests.docs.workshop import without_ray
from tests.search.real_search import RealSearch
from tests.search.test_ray_resume import offspring, survivors, wait_until

pytestmark = [pytest.mark.ray, pytest.mark.slow, pytest.mark.timeout(900)]
RETRAIN = ["retrain", "--top", "2", "--seeds", "2", "--set", "protocol.epochs=6"]
EPOCHS_IN_ALL = 2 * 2 * 6


def weights(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Every tensor of the full trainings, by file: weights, averages and the optimiser's state."""
    found = (folder / "checkpoints").glob("tiny-retrained-*/*.safetensors")
    return {path.name: load_file(path) for path in found}


def epochs_in_full(folder: Path) -> Callable[[], int]:
    """How many epochs of full trainings the store has."""
    query = (
        "select count(*) from metrics join trials on trials.id = trial_id "
        "join studies on studies.id = study_id where studies.name = 'tiny-retrained'"
    )

    def ask() -> int:
        with sqlite3.connect(f"file:{folder / 'tiny.db'}?mode=ro", uri=True) as connection:
            return int(connection.execute(query).fetchone()[0])

    return ask


def test_killed_half_way_it_ends_with_the_weights_of_an_unbroken_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {
        "trials": 2,
        "store": "tiny.db",
        "checkpoints": "checkpoints",
        "data": {"name": "fashion-mnist", "limit_train": 1000, "limit_validation": 100},
        "protocol": {"epochs": 1, "batch_size": 20, "warmup_epochs": 0.5, "ema_decay": 0.9},
        "resources": {"cpus_per_trial": 1, "concurrent_trials": 2},
    }
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    RealSearch(whole, changes)
    with monkeypatch.context() as patch:  # in this process, which nothing breaks
        patch.chdir(whole)
        without_ray(patch, whole)
        assert run_program(["run", "tiny.yaml"]) == 0
        shutil.copytree(whole, killed)
        assert run_program([*RETRAIN, "--store", "tiny.db"]) == 0

    search = RealSearch(killed, changes)
    driver = search.start(*RETRAIN, "--store", "tiny.db")
    asked = epochs_in_full(killed)
    try:
        wait_until(lambda: asked() >= EPOCHS_IN_ALL // 4, 400)
        family = offspring(driver.pid)
    finally:
        driver.send_signal(signal.SIGKILL)
        _, errors = driver.communicate()
    wait_until(lambda: not survivors(family), 100)
    assert asked() < EPOCHS_IN_ALL
    go_on = errors.rstrip().splitlines()[-1]
    assert "To go on: python -m search continue tiny-retrained --store tiny.db" in go_on

    resumed = search.run(*RETRAIN, "--store", "tiny.db")
    assert resumed.returncode == 0, resumed.stderr
    with open_store(str(killed / "tiny.db"), create=False) as opened:
        trials = opened.trials.of_study(opened.studies.get("tiny-retrained").id)
    assert {(trial.state, trial.epochs_done) for trial in trials} == {(TrialState.COMPLETE, 6)}
    assert any(trial.attempts == 2 for trial in trials)  # so that one was broken off

    one, two = weights(whole), weights(killed)
    assert len(one) == len(two) == 4
    for name, tensors in one.items():
        twin = two[name]
        assert tensors.keys() == twin.keys()
        assert len(tensors) > 10
        for key, tensor in tensors.items():
            assert torch.equal(tensor, twin[key]), f"{name}: {key}"
