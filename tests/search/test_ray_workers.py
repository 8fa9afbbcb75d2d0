"""Trials that are over sooner than a worker starts: what is spent around them on the real path."""

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import registry
from ray.tune.experiment import Trial

from search.exit_code import ExitCode
from search.ray_executor import ray_adapters
from search.ray_executor.ray_adapters import SessionScheduler
from search.ray_executor.tuning import trainable_looked_up_once
from search.runner import RunOutcome, run_study
from tests.search.small import Silent, config
from tests.search.test_ray_resume import offspring, read

TRIALS, CONCURRENT = 20, 2


class CountingWorkers(Silent):
    """Remembers the worker processes that it sees, also those that have no trial."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[int] = set()

    def show(self, progress: object) -> None:
        self.seen |= {pid for pid in offspring(os.getpid()) if self._is_worker(pid)}

    @staticmethod
    def _is_worker(pid: int) -> bool:
        words = [Path(word).name for word in read(Path(f"/proc/{pid}/cmdline")).split("\0")]
        named = words[0].startswith("ray::") and not words[0].endswith("Agent")
        return named or (words[0].startswith("python") and "default_worker.py" in words)


@pytest.fixture(scope="module")
def watcher() -> CountingWorkers:
    return CountingWorkers()


@pytest.fixture(scope="module")
def counted(
    tmp_path_factory: pytest.TempPathFactory, watcher: CountingWorkers
) -> tuple[RunOutcome, Counter[str]]:
    """A study of instant trials, and what was asked of Ray for it."""
    counts: Counter[str] = Counter()

    def counting(owner: Any, name: str) -> None:
        method = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            counts[name] += 1
            return method(*args, **kwargs)

        patch.setattr(owner, name, call)

    settings = config(
        tmp_path_factory.mktemp("workers"),
        trials=TRIALS,
        resources={"cpus_per_trial": 1, "concurrent_trials": CONCURRENT},
    )
    with pytest.MonkeyPatch.context() as patch:
        counting(RayActorManager, "add_actor")
        counting(registry, "_internal_kv_get")
        outcome = run_study(
            settings, resume=False, watcher=watcher, training="tests.search.faults:instant"
        )
    return outcome, counts


@pytest.mark.thorough
@pytest.mark.ray
@pytest.mark.timeout(180)
def test_a_study_starts_as_many_workers_as_it_has_trials_at_a_time(
    counted: tuple[RunOutcome, Counter[str]],
) -> None:
    outcome, counts = counted
    assert outcome.exit_code == ExitCode.DONE
    assert outcome.progress.ended == TRIALS
    assert counts["add_actor"] == CONCURRENT


@pytest.mark.thorough
@pytest.mark.ray
@pytest.mark.timeout(180)
@pytest.mark.usefixtures("counted")
def test_no_worker_starts_that_is_given_no_trial(watcher: CountingWorkers) -> None:
    """Ray itself has one in reserve for each core, which trials never get."""
    assert len(watcher.seen) == CONCURRENT


@pytest.mark.thorough
@pytest.mark.ray
@pytest.mark.timeout(180)
def test_the_class_of_the_trials_is_not_looked_up_for_every_trial(
    counted: tuple[RunOutcome, Counter[str]],
) -> None:
    assert 0 < counted[1]["_internal_kv_get"] < TRIALS


def test_a_free_worker_takes_a_new_trial_and_none_that_ray_has_seen_before() -> None:
    scheduler = SessionScheduler(None)  # type: ignore[arg-type]
    first, second, third = (Trial("any", stub=True) for _ in range(3))
    assert scheduler.choose_trial_to_run(None) is None
    for trial in (first, second):
        scheduler.on_trial_add(None, trial)
    assert scheduler.choose_trial_to_run(None) is first
    assert scheduler.choose_trial_to_run(None) is None  # the second may run or be over by now
    scheduler.on_trial_add(None, third)
    assert scheduler.choose_trial_to_run(None) is third


def test_a_trial_that_waits_for_long_goes_before_new_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(ray_adapters.time, "monotonic", lambda: clock[0])
    scheduler = SessionScheduler(None)  # type: ignore[arg-type]
    running, first, second, new = (Trial("any", stub=True) for _ in range(4))
    for trial in (running, first, second):
        scheduler.on_trial_add(None, trial)
        assert scheduler.choose_trial_to_run(None) is trial
    running.set_status(Trial.RUNNING)
    clock[0] = 50.0
    scheduler.on_trial_add(None, new)
    assert scheduler.choose_trial_to_run(None) is new
    clock[0] = 61.0
    assert scheduler.choose_trial_to_run(None) is first
    first.set_status(Trial.RUNNING)
    assert scheduler.choose_trial_to_run(None) is second
    second.set_status(Trial.RUNNING)
    assert scheduler.choose_trial_to_run(None) is None


class Registry:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.asked = 0

    def contains(self, category: str, name: str) -> bool:
        self.asked += 1
        return name in self.names

    def get(self, category: str, name: str) -> str:
        self.asked += 1
        if name not in self.names:
            raise ValueError(name)
        return f"the class {name}"


def test_a_lookup_is_remembered_within_the_block_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Registry()
    monkeypatch.setattr(registry, "_global_registry", known)
    with trainable_looked_up_once():
        assert not known.contains("class", "worker")
        with pytest.raises(ValueError, match="worker"):
            known.get("class", "worker")
        known.names.add("worker")  # what was not there may come
        asked = known.asked
        for _ in range(5):
            assert known.contains("class", "worker")
            assert known.get("class", "worker") == "the class worker"
        assert known.asked == asked + 2
    known.names.clear()
    assert not known.contains("class", "worker")


def test_one_lookup_within_another(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Registry()
    known.names.add("worker")
    monkeypatch.setattr(registry, "_global_registry", known)
    with trainable_looked_up_once():
        with trainable_looked_up_once():
            assert known.contains("class", key="worker")  # type: ignore[call-arg]
        assert known.contains("class", "worker")
    assert vars(known).keys() == {"names", "asked"}


def test_a_registry_that_looks_otherwise_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_global_registry", object())
    with trainable_looked_up_once():
        pass
    monkeypatch.delattr(registry, "_global_registry")
    with trainable_looked_up_once():
        pass
