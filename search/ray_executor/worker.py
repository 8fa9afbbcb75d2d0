"""The worker of a trial: a Ray Tune Trainable around `trainers.Training`.

What goes wrong in a trial becomes a `Failure` that is reported, and the same process goes on with
the next trial. Only a worker that is killed, or that an error on its GPU has made useless, is
noticed from outside, by the driver.
"""

import logging
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

from ray import tune

from search.driver.assignment import Report, plain_epoch
from search.ray_executor.joint_training import BrokeOff, JointTraining, RankGroup
from search.ray_executor.making import WorkerTraining, made_training
from search.ray_executor.worker_log import CrashLog
from trainers import Failure, classify
from trainers.data.held_out_test import lock_test_split_for_good

_LOG = logging.getLogger(__name__)


class TrialWorker(tune.Trainable):  # type: ignore[misc, unused-ignore]
    """Trains one trial after the other in the same process, an epoch a step."""

    _training: WorkerTraining | None = None
    _ranks: RankGroup | None = None
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
            self._release()
        return report.to_result()

    def _begin(self, config: dict[str, Any]) -> None:
        # Building waits for the first step, whose exceptions become a failure.
        self._release()
        self._assignment = config
        self._reported = 0

    def cleanup(self) -> None:
        """End what this process has started; Ray ends it next."""
        self._release()
        if self._ranks is not None:
            self._ranks.kill()
            self._ranks = None

    def _release(self) -> None:
        """Give the memory of a training back before the next one."""
        close = getattr(self._training, "close", None)
        if close is not None:  # of several processes
            close()
        self._training = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def _failed(self, error: BaseException) -> Failure:
        if isinstance(error, BrokeOff):
            # The process that broke is gone, and this one has only looked after it.
            failure, self._ranks = replace(error.failure, breaks_worker=False), None
        else:
            failure = classify(error, whole_gpu=self._assignment.get("whole_gpu", False))
        _LOG.info("trial broke off: %s", failure.reason, exc_info=error)
        if self._log is not None:
            self._log.raised(error)
        return failure

    def _step(self) -> Report:
        if self._log is None and "log" in self._assignment:
            self._log = CrashLog(Path(self._assignment["log"]))
        if self._training is None:
            self._training = self._made()
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

    def _made(self) -> WorkerTraining:
        config = self._assignment
        size = config.get("processes", 1)
        if size == 1:
            return made_training(config)
        self._ranks = self._ranks or RankGroup(size, config["device"])
        return JointTraining(config, self._ranks)


def _asked_to_end(error: BaseException) -> bool:
    """Whether Ray raised this because the process got SIGTERM, which says nothing of the trial."""
    return isinstance(error, SystemExit) and hasattr(error, "ray_terminate_msg")


def _throughput(training: WorkerTraining) -> dict[str, Any] | None:
    """How fast pictures come, and how fast the network takes them; None where nothing waits."""
    from trainers import Training
    from trainers.throughput_probe import measure_throughput

    found = measure_throughput(training) if isinstance(training, Training) else None
    return None if found is None else found.to_dict()
