"""One of the processes that train a trial together: a Ray actor in a place of the trial's."""

import logging
import re
import signal
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search.driver.assignment import plain_epoch
from search.ray_executor.worker_log import CrashLog
from space.passwords import masked
from trainers import Cause, Failure, Retry, classify
from trainers.data.held_out_test import lock_test_split_for_good

_LOG = logging.getLogger(__name__)
_LOST = re.compile(
    r"gloo|nccl|Connection closed by peer|Connection reset by peer|Broken pipe|"
    r"process group|TCPStore|DistBackendError|DistNetworkError|DistStoreError",
    re.IGNORECASE,
)
"""How torch.distributed says that another process does not answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What a process of a trial answers.

    Attributes:
        epochs: metrics of every epoch that it knows, as plain numbers. done: whether all are
            trained. inherited_from: as `Training.inherited_from`.
        failure: why it broke off, None while it has not. trace: what led to it.
        lost_others: whether it only tells that another one is gone.
    """

    epochs: tuple[Mapping[str, Any], ...] = ()
    done: bool = False
    inherited_from: str | None = None
    failure: Failure | None = None
    trace: str = ""
    lost_others: bool = False


class Rank:
    """Trains its share of one trial after the other. What goes wrong is answered, not raised.

    Args:
        rank: which of the processes it is, from 0. size: how many there are.
    """

    def __init__(self, rank: int, size: int) -> None:
        lock_test_split_for_good()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGHUP})
        self._rank, self._size = rank, size
        self._training: Any = None
        self._log: CrashLog | None = None
        self._whole_gpu = False

    def open_meeting(self) -> tuple[str, int]:
        """In the first process: host and port at which the others meet it."""
        import ray

        from trainers.processes import meeting_place

        host: str = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        self._place = meeting_place(host)
        return host, self._place.port

    def meet(self, host: str, port: int, device: str) -> Reply:
        """Join the others, once for all trials; returns when all have come."""

        def meet() -> None:
            from trainers.processes import join, meeting_place

            place = self._place if self._rank == 0 else meeting_place(host, port)
            join(self._rank, self._size, place, device)

        return self._answer(meet)

    def begin(self, config: Mapping[str, Any], log: str | None) -> Reply:
        """Begin a trial, or go on with it from its checkpoint."""
        self._whole_gpu = config.get("whole_gpu", False)
        self._close_log()
        self._log = None if log is None else CrashLog(Path(log))

        def make() -> None:
            from search.ray_executor.making import made_training

            together = {"rank": self._rank, "size": self._size}
            self._training = made_training({**config, "together": together})

        return self._answer(make)

    def run_epoch(self) -> Reply:
        """Train and validate one more epoch, together with the others."""
        return self._answer(lambda: self._training.run_epoch())

    def forget(self) -> Reply:
        """Give the memory of a training back."""
        self._training = None
        self._close_log()
        return Reply()

    def _close_log(self) -> None:
        if self._log is not None:
            self._log.close()
            self._log = None

    def _answer(self, work: Callable[[], object]) -> Reply:
        try:
            work()
            training = self._training
            if training is None:
                return Reply()
            epochs = tuple(plain_epoch(epoch) for epoch in training.history)
            return Reply(epochs, bool(training.done), training.inherited_from)
        except BaseException as error:
            if isinstance(error, SystemExit) and hasattr(error, "ray_terminate_msg"):
                raise
            _LOG.info("rank %d broke off", self._rank, exc_info=error)
            trace = masked("".join(traceback.format_exception(error)))
            lost = isinstance(error, RuntimeError) and _LOST.search(str(error)) is not None
            failure = _lost_others(error) if lost else classify(error, whole_gpu=self._whole_gpu)
            return Reply(failure=failure, trace=trace, lost_others=lost)


def _lost_others(error: BaseException) -> Failure:
    first = str(error).strip().splitlines() or [type(error).__name__]
    return Failure(
        Cause.SURROUNDINGS,
        f"the processes of a trial lost each other: {first[0][:300]}",
        "look at the network between the nodes",
        retry=Retry.COUNTED,
    )
