"""One search with real training, in this process, until its CPU seconds are used."""

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.live.methods import LiveMethod
from benchmarks.replay.ours import OwnMethod
from search.driver.lineage import Trained, choose_parent
from search.objectives import ACCURACY, judged_accuracy
from search.searchers import Exhausted, Task
from search.trial_states import TrialState
from space import Architecture, DesignSpace
from trainers import DataConfig, Protocol, Training, final_test, open_data
from trainers.data.held_out_test import lock_test_split
from trainers.failure_classification import classify
from trainers.initial_weights import ParentNetwork

FINAL_SEED = 1000
"""Added to the seed of a search for the final training, so that the two have other seeds."""


@dataclass(frozen=True)
class LiveSettings:
    """What all searches have in common: space, images, protocol, and CPU seconds of a search."""

    space: DesignSpace
    data: DataConfig
    protocol: Protocol
    seconds: float


@dataclass(frozen=True)
class LiveRun:
    """What a search came to.

    Attributes:
        method: its name. seed: of the search.
        path: (CPU seconds, best validation accuracy of a complete trial) at every new best.
        best: JSON of the best architecture; None where no trial was complete.
        ends: trials by end. inherited: trials that began with a parent's weights.
        final_validation, final_test: accuracy of the best one, trained again from scratch.
    """

    method: str
    seed: int
    path: tuple[tuple[float, float], ...]
    best: str | None
    ends: dict[str, int]
    inherited: int
    final_validation: float | None
    final_test: float | None


def run(settings: LiveSettings, method: LiveMethod, seed: int) -> LiveRun:
    """Search, then train the best one from scratch and read its test accuracy."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        with lock_test_split():
            search = _Search(settings, method, seed, Path(folder))
            search.run()
        final = _final(settings, search.best, seed, Path(folder)) if search.best else (None, None)
    best = search.best.to_json() if search.best else None
    return LiveRun(
        method.name, seed, tuple(search.path), best, search.ends, search.inherited, *final
    )


class _Search:
    """The loop of one search. CPU time counts from the first proposal, proposals included."""

    def __init__(self, settings: LiveSettings, method: LiveMethod, seed: int, folder: Path) -> None:
        kind = "inherited" if method.inherits else "scratch"
        protocol = settings.protocol.model_copy(update={"initialisation": kind})
        self._data = open_data(settings.data, protocol)
        self._settings, self._compared, self._seed, self._folder = settings, method, seed, folder
        task = Task(settings.space, ACCURACY, fidelities=protocol.epochs)
        self._method = OwnMethod(task, method.searcher, method.scheduler, seed, protocol.judged_by)
        self._trained: list[Trained] = []
        self._begun = 0.0
        self.path: list[tuple[float, float]] = []
        self.best: Architecture | None = None
        self.ends = {"complete": 0, "pruned": 0, "failed": 0, "cut off": 0}
        self.inherited = 0

    @property
    def _spent(self) -> float:
        return time.process_time() - self._begun

    def run(self) -> None:
        """Trial after trial; the one that the end of the budget meets does not count."""
        self._begun = time.process_time()
        number = 0
        while self._spent < self._settings.seconds:
            try:
                self._method.start(number)
            except Exhausted:
                return
            self.ends[self._trial(number, self._method.architecture(number))] += 1
            number += 1

    def _trial(self, number: int, architecture: Architecture) -> str:
        begun = self._spent
        parent = choose_parent(architecture, self._trained) if self._compared.inherits else None
        try:
            training = self._training(architecture, parent)
            end = self._train(number, training)
        except Exception as error:  # noqa: BLE001 - a failed trial is an outcome of the search
            classify(error)
            self._method.end(number, TrialState.FAILED, None)
            return "failed"
        self.inherited += training.inherited_from is not None
        before = 0.0 if parent is None else parent.cost_so_far
        score = training.history[-1].validation_accuracy
        self._trained.append(
            Trained(
                number, architecture, self._file(architecture), score, self._spent - begun, before
            )
        )
        return end

    def _training(self, architecture: Architecture, parent: Trained | None) -> Training:
        from_ = None if parent is None else ParentNetwork(parent.architecture, parent.checkpoint)
        return Training(
            architecture,
            self._data.protocol,
            self._data,
            seeds=self._data.protocol.seeds(self._seed, architecture.id),
            checkpoint_path=self._file(architecture),
            inherit_from=from_,
        )

    def _train(self, number: int, training: Training) -> str:
        while not training.done:
            accuracy = training.run_epoch().validation_accuracy
            if self._spent >= self._settings.seconds:
                return "cut off"
            stop = not training.done and self._method.report(number, training.epoch, accuracy)
            if stop:
                self._method.end(number, TrialState.PRUNED, accuracy)
                return "pruned"
        self._method.end(number, TrialState.COMPLETE, accuracy)
        self._note(_judged(training), training.architecture)
        return "complete"

    def _note(self, accuracy: float, architecture: Architecture) -> None:
        if not self.path or accuracy > self.path[-1][1]:
            self.path.append((self._spent, accuracy))
            self.best = architecture

    def _file(self, architecture: Architecture) -> Path:
        return self._folder / f"{architecture.id}.safetensors"


def _final(
    settings: LiveSettings, best: Architecture, seed: int, folder: Path
) -> tuple[float, float]:
    """Validation and test accuracy of a training from scratch, with seeds of its own."""
    protocol = settings.protocol.model_copy(update={"initialisation": "scratch"})
    data = open_data(settings.data, protocol)
    file = folder / "final.safetensors"
    training = Training(
        best,
        data.protocol,
        data,
        seeds=data.protocol.seeds(FINAL_SEED + seed, best.id),
        checkpoint_path=file,
    )
    while not training.done:
        training.run_epoch()
    test = final_test(best, file, data.protocol, settings.data, lambda reading: None)
    return _judged(training), test


def _judged(training: Training) -> float:
    """The validation accuracy that a study would judge a training by."""
    accuracies = [epoch.validation_accuracy for epoch in training.history]
    return judged_accuracy(accuracies, training.protocol.judged_by) or 0.0
