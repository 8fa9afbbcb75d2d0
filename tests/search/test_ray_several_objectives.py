"""Two objectives, multi-objective ASHA and three hard constraints on real images, killed twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from search.config import Config, load_config
from search.driver.checkpoints import Checkpoints
from search.driver.replay import networks_of, replay_history
from search.driver.study_setup import initial_points, task_of
from search.schedulers import make_scheduler
from search.searchers import make_searcher
from search.store import EventKind, TrialState, open_store
from search.study import Study
from space.cost import cost, memory
from tests.search.small import values
from tests.search.test_ray_resume import (
    epochs_recorded,
    offspring,
    read,
    start,
    survivors,
    wait_until,
)

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]
TRIALS = 9
LIMITS = {"params": 60_000, "macs": 500_000, "training_bytes": 120_000}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("objectives")
    return values(
        store=str(folder / "tiny.db"),
        checkpoints=str(folder / "checkpoints"),
        trials=TRIALS,
        objectives={"validation_accuracy": "maximise", "macs": "minimise"},
        constraints=dict(LIMITS),
        searcher={"name": "evolution"},
        scheduler={"name": "moasha", "grace_epochs": 1, "reduction_factor": 2},
        random_baseline=0.2,
        retries=2,
        protocol={"epochs": 6, "batch_size": 20, "warmup_epochs": 1},
        data={"name": "fashion-mnist", "limit_train": 2000, "limit_validation": 200},
    )


def worker_that_trains(driver: subprocess.Popen[str]) -> int:
    """A process that trains at this moment; Ray names a process after the call it is in."""
    while driver.poll() is None:
        for pid in offspring(driver.pid):
            name = read(Path(f"/proc/{pid}/cmdline"))
            if name.startswith("ray::") and ".train" in name:
                return pid
        time.sleep(0.1)
    raise AssertionError("the study was done before a worker could be killed")


@pytest.mark.slow
def test_killed_twice_and_resumed_it_ends_complete(settings: dict[str, object]) -> None:
    folder = Path(str(settings["store"])).parent
    path = folder / "objectives.yaml"
    path.write_text(yaml.safe_dump(settings))
    command = [sys.executable, "-m", "search", "run", str(path), "--resume"]
    driver = start(command)
    try:
        wait_until(lambda: epochs_recorded(folder) >= 4, 120)
        family = offspring(driver.pid)
    finally:
        driver.send_signal(signal.SIGKILL)
        driver.communicate()
    wait_until(lambda: not survivors(family), 60)

    again = start(command)
    try:
        done = epochs_recorded(folder)
        wait_until(lambda: epochs_recorded(folder) >= done + 3, 120)
        family = offspring(again.pid)
        before = preempted(str(settings["store"]))
        assert before > 0  # the driver's death
        kill_a_worker_that_trains(again, str(settings["store"]), before)
        output, errors = again.communicate(timeout=200)
    finally:
        if again.poll() is None:
            again.kill()
            again.communicate()
    assert again.returncode == 0, errors
    assert output.startswith("Study tiny: 9 of 9 trials done")  # what Ray prints is no data
    wait_until(lambda: not survivors(family), 60)
    assert preempted(str(settings["store"])) > before  # the worker's death
    check(load_config(path))


def kill_a_worker_that_trains(driver: subprocess.Popen[str], store: str, before: int) -> None:
    """Kill a worker; another one where the first had just trained the last epoch of its trial."""
    for _ in range(3):
        os.kill(worker_that_trains(driver), signal.SIGKILL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if preempted(store) > before:
                return
            time.sleep(0.2)


def preempted(store: str) -> int:
    """How often a trial was interrupted."""
    with open_store(store, create=False) as opened:
        events = opened.events.of_study(opened.studies.get("tiny").id)
    return sum(event.kind == EventKind.PREEMPTED for event in events)


def check(config: Config) -> None:
    """Complete, without duplicates or zombies, within the limits, and as the log says."""
    with open_store(config.store, create=False) as store:
        study = store.studies.get(config.study)
        history = store.studies.history(study.id)
        runs = store.runs.of_study(study.id)
    trials = history.trials
    assert len(trials) == TRIALS
    assert all(run.ended is not None for run in runs)
    assert {t.state for t in trials} <= {TrialState.COMPLETE, TrialState.PRUNED}
    assert len({t.architecture_id for t in trials}) == TRIALS
    assert any(t.attempts > 1 for t in trials)
    networks = networks_of(history)
    for network in networks.values():
        assert cost(network).params <= LIMITS["params"]
        assert cost(network).macs <= LIMITS["macs"]
        assert memory(network).training_bytes <= LIMITS["training_bytes"]
    for trial in trials:
        assert [r.epoch for r in history.curves[trial.id]] == list(range(1, trial.epochs_done + 1))
        assert Checkpoints.of(study, config.store).file(trial).exists()
    proposals_follow_from_the_log(config)
    decisions_follow_from_the_log(config)


def proposals_follow_from_the_log(config: Config) -> None:
    """A new searcher, told the log up to a trial, asks for the very architecture of that trial."""
    with open_store(config.store, create=False) as store:
        history = store.studies.history(store.studies.get(config.study).id)
    task = task_of(config)
    options = config.searcher.model_dump(exclude={"name"})
    networks = networks_of(history)
    trials = {trial.id: trial for trial in history.trials}
    assert not initial_points(config)
    asked = 0
    for position, event in enumerate(history.events):
        trial = trials[event.trial_id]
        if event.kind != EventKind.CREATED or trial.origin != "evolution":
            continue
        searcher = make_searcher("evolution", task, config.searcher_seed, options)
        scheduler = make_scheduler("none", task.objectives, config.protocol.epochs)
        before = type(history)(
            history.trials, history.curves, history.networks, history.events[:position]
        )
        replay_history(Study(task, [searcher], scheduler), before, networks)
        assert searcher.ask().id == trial.architecture_id
        asked += 1
    assert asked > 4


def decisions_follow_from_the_log(config: Config) -> None:
    """A new scheduler, told the log up to a trial's end, stops just the trials that were pruned."""
    with open_store(config.store, create=False) as store:
        history = store.studies.history(store.studies.get(config.study).id)
    task = task_of(config)
    options = config.scheduler.model_dump(exclude={"name"})
    trials = {trial.id: trial for trial in history.trials}
    stopped = []
    for position, event in enumerate(history.events):
        if event.kind not in (EventKind.PRUNED, EventKind.COMPLETE):
            continue
        scheduler = make_scheduler("moasha", task.objectives, config.protocol.epochs, options)
        before = type(history)(
            history.trials, history.curves, history.networks, history.events[:position]
        )
        study = replay_history(Study(task, [], scheduler), before, networks_of(history))
        stopped.append(study.trials[trials[event.trial_id].number].decision.stop)
        assert stopped[-1] == (event.kind == EventKind.PRUNED)
    assert set(stopped) == {True, False}
