"""A trial that several processes train together, for the worker that looks after them.

The worker trains nothing itself, so that it is never caught in a wait for a process that is gone:
when one dies or fails, it ends the others. They are actors that it owns, and Ray ends them when it
is gone. Ray Train's own worker group is not used: it keeps checkpoints, retries and a state of its
own, where here one driver decides, and checkpoints are written without pickle.
"""

import contextlib
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search.ray_executor.rank import Rank, Reply
from search.ray_executor.worker_log import crash_in
from space.errors import MixspaceError
from trainers import Cause, Failure, classify_death

_LOG = logging.getLogger(__name__)
GRACE = 10.0
"""Seconds in which other processes may still tell, after one has failed, that they were the cause:
that a process died is known to its peers before Ray knows it."""


class BrokeOff(MixspaceError, RuntimeError):
    """A process of the trial died or failed.

    Attributes:
        failure: why.
    """

    def __init__(self, failure: Failure, trace: str = "") -> None:
        super().__init__(f"{failure.reason}\n{trace}" if trace else failure.reason)
        self.failure = failure


class RankGroup:
    """The processes of one worker; they stay for its next trial, unless one of them breaks off.

    Args:
        size: how many. device: of their trainings.
    """

    def __init__(self, size: int, device: str) -> None:
        import ray
        from ray.util import get_current_placement_group
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        places = get_current_placement_group()
        assert places is not None, "Ray Tune reserves a place for each process of a trial"
        self._actors: list[Any] = []
        self._logs: list[Path] = []
        for rank, place in enumerate(places.bundle_specs[-size:], len(places.bundle_specs) - size):
            strategy = PlacementGroupSchedulingStrategy(places, rank)
            actor = ray.remote(Rank).options(
                num_cpus=place.get("CPU", 0),
                num_gpus=place.get("GPU", 0),
                scheduling_strategy=strategy,
            )
            self._actors.append(actor.remote(len(self._actors), size))
        try:
            host, port = ray.get(self._actors[0].open_meeting.remote())
            self.all("meet", host, port, device)
        except BaseException:
            self.kill()
            raise

    def all(self, method: str, *arguments: Any) -> list[Reply]:
        """Call a method in every process at once.

        Raises:
            BrokeOff: one of them died or failed; then all are ended.
        """
        return self._gathered(dict.fromkeys(range(len(self._actors)), (method, *arguments)))

    def begin(self, config: Mapping[str, Any], log: Path | None) -> list[Reply]:
        """Begin a trial: the first process before the others, as it may replace its checkpoint."""
        ranks = range(len(self._actors))
        self._logs = [] if log is None else [Path(f"{log}.{rank}") for rank in ranks]
        logs = dict(enumerate(map(str, self._logs)))
        calls = {rank: ("begin", config, logs.get(rank)) for rank in ranks}
        replies = self._gathered({0: calls.pop(0)}) + self._gathered(calls)
        if len({len(reply.epochs) for reply in replies}) > 1:
            self.kill()
            raise BrokeOff(_OTHER_CHECKPOINTS)
        return replies

    def kill(self) -> None:
        """End all processes."""
        import ray

        for actor in self._actors:
            ray.kill(actor)
        self._actors = []
        for log in self._logs:  # what they have told is in a failure
            log.unlink(missing_ok=True)

    def _gathered(self, calls: Mapping[int, tuple[Any, ...]]) -> list[Reply]:
        import ray

        waiting = {
            getattr(self._actors[rank], method).remote(*arguments): rank
            for rank, (method, *arguments) in calls.items()
        }
        replies: dict[int, Reply] = {}
        until: float | None = None
        while waiting:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                break
            ready, _ = ray.wait(list(waiting), num_returns=1, timeout=left)
            for each in ready:
                rank = waiting.pop(each)
                replies[rank] = self._reply(rank, each)
                if replies[rank].failure is not None and until is None:
                    until = time.monotonic() + GRACE
        failed = [reply for reply in replies.values() if reply.failure is not None]
        if failed:
            self.kill()
            worst = min(failed, key=lambda reply: (reply.lost_others, bool(reply.trace)))
            assert worst.failure is not None
            raise BrokeOff(worst.failure, worst.trace)
        return [replies[rank] for rank in calls]

    def _reply(self, rank: int, answer: Any) -> Reply:
        import ray

        try:
            reply: Reply = ray.get(answer)
        except ray.exceptions.RayActorError as error:  # it has died, and has no trace
            crash = crash_in(self._logs[rank]) if self._logs else ""
            failure = classify_death(str(error), crash)
            _LOG.info("rank %d died: %s", rank, failure.reason)
            return Reply(failure=failure)
        return reply


class JointTraining:
    """A training that runs in the processes of a group.

    Args:
        config: of the trial (`Assignment.to_config`). group: trains it.

    Raises:
        BrokeOff: a process died or failed.
    """

    def __init__(self, config: Mapping[str, Any], group: RankGroup) -> None:
        self._group = group
        log = config.get("log")
        self._reply = group.begin(config, None if log is None else Path(log))[0]

    @property
    def done(self) -> bool:
        """Whether all epochs are trained."""
        return self._reply.done

    @property
    def history(self) -> tuple[Mapping[str, Any], ...]:
        """The epochs trained so far, those before a restart included."""
        return self._reply.epochs

    @property
    def inherited_from(self) -> str | None:
        """Id of the architecture whose weights it began with."""
        return self._reply.inherited_from

    def run_epoch(self) -> None:
        """Train and validate one more epoch."""
        self._reply = self._group.all("run_epoch")[0]

    def close(self) -> None:
        """Give the memory of a training back."""
        with contextlib.suppress(BrokeOff):  # they are gone, and their memory with them
            self._group.all("forget")


_OTHER_CHECKPOINTS = Failure(
    Cause.SURROUNDINGS,
    "the processes of a trial do not see the same checkpoint",
    "put the checkpoints where every node sees them, by --set checkpoints=FOLDER",
)
