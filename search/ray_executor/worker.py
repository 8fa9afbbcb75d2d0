"""The worker of a trial: a Ray Tune Trainable around `trainers.Training`.

What goes wrong in a trial becomes a `Failure` that is reported, and the same process goes on with
the next trial. Only a worker that is killed, or that an error on its GPU has made useless, is
noticed from outside, by the driver.
"""

import importlib
import json
import logging
import signal
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ray import tune

from search.driver.assignment import Report, plain_epoch
from search.ray_executor.worker_log import CrashLog
from space import Architecture, InputError
from space.custom import load_plugins
from trainers import DataConfig, EpochResult, Failure, Seeds, classify
from trainers import Protocol as TrainingProtocol
from trainers.data.held_out_test import lock_test_split_for_good

if TYPE_CHECKING:
    from trainers import ParentNetwork, SearchData


_LOG = logging.getLogger(__name__)


class WorkerTraining(Protocol):
    """What the worker needs of a training."""

    @property
    def done(self) -> bool:
        """Whether all epochs are trained."""

    @property
    def history(self) -> tuple[EpochResult, ...]:
        """The epochs trained so far, those before a restart included."""

    @property
    def inherited_from(self) -> str | None:
        """Id of the architecture whose weights it began with; asked where one was assigned."""

    def run_epoch(self) -> EpochResult:
        """Train and validate one more epoch."""


class TrialWorker(tune.Trainable):  # type: ignore[misc, unused-ignore]
    """Trains one trial after the other in the same process, an epoch a step."""

    _training: WorkerTraining | None = None
    _log: CrashLog | None = None
    _reported = 0

    def setup(self, config: dict[str, Any]) -> None:
        """Begin the first trial of this process."""
        lock_test_split_for_good()
        # The servers of a private Ray are started deaf, and what a training starts is not to be.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Begin the next trial."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """One epoch; raises only where this process must not be used again."""
        try:
            report = self._step()
        except BaseException as error:
            if _asked_to_end(error):
                raise
            report = Report(failure=self._failed(error))
            if report.failure is not None and report.failure.breaks_worker:
                raise
        if report.ended:
            self.cleanup()
        return report.to_result()

    def _begin(self, config: dict[str, Any]) -> None:
        # Building waits for the first step, whose exceptions become a failure.
        self.cleanup()
        self._assignment = config
        self._reported = 0

    def cleanup(self) -> None:
        """Give the memory of a training back before the next one."""
        self._training = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _failed(self, error: BaseException) -> Failure:
        failure = classify(error, whole_gpu=self._assignment.get("whole_gpu", False))
        _LOG.info("trial broke off: %s", failure.reason, exc_info=error)
        if self._log is not None:
            self._log.raised(error)
        return failure

    def _step(self) -> Report:
        if self._log is None and "log" in self._assignment:
            self._log = CrashLog(Path(self._assignment["log"]))
        if self._training is None:
            self._training = _make(self._assignment)
            if self._assignment.get("measures") and (found := _throughput(self._training)):
                return Report(throughput=found)  # at once, and not with the first epoch
        training = self._training
        if not training.done:
            training.run_epoch()
        news = training.history[self._reported :]
        self._reported = len(training.history)
        inherited = training.inherited_from is not None if self._assignment.get("parent") else None
        metrics = tuple(plain_epoch(epoch) for epoch in news)
        return Report(metrics, bool(training.done), inherited=inherited)


def _asked_to_end(error: BaseException) -> bool:
    """Whether Ray raised this because the process got SIGTERM, which says nothing of the trial."""
    return isinstance(error, SystemExit) and hasattr(error, "ray_terminate_msg")


def _make(config: Mapping[str, Any]) -> WorkerTraining:
    module, _, name = config["training"].partition(":")
    make: Callable[[Mapping[str, Any]], WorkerTraining] = getattr(
        importlib.import_module(module), name
    )
    return make(config)


def make_training(config: Mapping[str, Any]) -> WorkerTraining:
    """The real training of an assignment (`Assignment.to_config`)."""
    import torch  # only workers need torch; the driver imports this module too

    from trainers import Training

    torch.set_num_threads(config["threads"])
    load_plugins(config.get("plugins", ()))
    protocol = TrainingProtocol.from_dict(config["protocol"])
    found = json.dumps(config.get("inspected"), sort_keys=True)
    data = _data(json.dumps(config["data"], sort_keys=True), protocol, found)
    architecture = Architecture.from_json(config["architecture"])

    def begin(parent: "ParentNetwork | None") -> WorkerTraining:
        return Training(
            architecture,
            protocol,
            data,
            seeds=Seeds(**config["seeds"]),
            device=config["device"],
            checkpoint_path=config["checkpoint"],
            inherit_from=parent,
        )

    return _begin_somehow(begin, Path(config["checkpoint"]), _parent(config.get("parent")))


def _throughput(training: WorkerTraining) -> dict[str, Any] | None:
    """How fast pictures come, and how fast the network takes them; None where nothing waits."""
    from trainers import Training
    from trainers.throughput_probe import measure_throughput

    found = measure_throughput(training) if isinstance(training, Training) else None
    return None if found is None else found.to_dict()


def _parent(config: Mapping[str, Any] | None) -> "ParentNetwork | None":
    from trainers import ParentNetwork

    if config is None:
        return None
    return ParentNetwork(Architecture.from_json(config["architecture"]), Path(config["checkpoint"]))


def _begin_somehow(
    begin: "Callable[[ParentNetwork | None], WorkerTraining]",
    checkpoint: Path,
    parent: "ParentNetwork | None",
) -> WorkerTraining:
    """A lost file costs what is in it, but not the trial: its own epochs, or its inheritance."""
    try:
        return begin(parent)
    except InputError as error:
        lost = {problem.where for problem in error.problems}
        if lost == {"checkpoint"} and checkpoint.exists():
            _LOG.warning("%s; the trial begins again", error)
            checkpoint.replace(checkpoint.with_name(checkpoint.name + ".refused"))
            return _begin_somehow(begin, checkpoint, parent)
        if lost == {"parent"} and parent is not None:
            _LOG.warning("%s; the trial begins from scratch", error)
            return begin(None)
        raise


@lru_cache(maxsize=1)
def _data(config: str, protocol: TrainingProtocol, found: str) -> "SearchData":
    """The images, opened once in this process for all trials of a study."""
    from trainers import open_data
    from trainers.data.image_folder.image_index import Inspected

    plain = json.loads(found)
    inspected = None if plain is None else Inspected.from_dict(plain)
    return open_data(DataConfig.from_dict(json.loads(config)), protocol, inspected)
