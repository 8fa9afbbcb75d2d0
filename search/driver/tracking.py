"""Shows what is written into a ledger to trackers, from a thread of its own."""

import logging
import math
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from search.config import Config
from search.options import Options
from search.store import StudyRecord
from search.study import Ledger, Trial
from search.trackers import TRACKERS, TrackedStudy, TrackedTrial, Tracker
from search.trial_states import TrialState
from space.cost import cost
from space.errors import Problem, refuse

_LOG = logging.getLogger(__name__)
_LAST_SECONDS = 20.0
"""For what is still to be shown when a run ends; a server that does not answer gets no more."""


def refuse_missing_libraries(config: Config) -> None:
    """Refuse trackers whose library is not installed.

    Raises:
        InputError: with each of them, and what to install.
    """
    problems: list[Problem] = []
    for place, chosen in enumerate(config.trackers):
        package = TRACKERS.kind(chosen.name).package
        found = find_spec(package)
        if found is None or found.loader is None:  # a folder of that name is no package
            said = f"{chosen.name} needs {package}, which is not installed: pip install {package}"
            problems.append(Problem(f"trackers[{place}]", said))
    refuse(problems)


class Tracking(Ledger):
    """A ledger that tells another one first, and then the trackers.

    The trackers hear of it in order, from a thread of their own: neither a slow server nor an
    error of theirs costs the search anything. One that raises hears no more, which is said once.

    Args:
        ledger: that is told first.
        study: whose trials are shown.
        chosen: the trackers' options.
        say: tells a person which tracker is left out, and why.
    """

    def __init__(
        self,
        ledger: Ledger,
        study: StudyRecord,
        chosen: Sequence[Options],
        say: Callable[[str], None],
    ) -> None:
        self._ledger, self._chosen, self._say = ledger, chosen, say
        self._study = TrackedStudy(study.name, study.uid, study.config)
        self._started: set[int] = set()
        self._calls: queue.SimpleQueue[Callable[[Tracker], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="trackers", daemon=True)
        if chosen:
            self._thread.start()

    def start(self, trial: Trial[Any]) -> None:
        """A worker has taken the trial up."""
        self._ledger.start(trial)
        if self._chosen:
            shown = _shown(trial)
            self._started.add(trial.number)
            self._calls.put(lambda tracker: tracker.start(shown))

    def epoch(self, trial: Trial[Any], epoch: int, metrics: Mapping[str, float | None]) -> None:
        """An epoch was reported for the first time."""
        self._ledger.epoch(trial, epoch, metrics)
        number = trial.number
        if number in self._started:
            finite = {n: float(v) for n, v in metrics.items() if v is not None and _is_metric(n, v)}
            self._calls.put(lambda tracker: tracker.epoch(number, epoch, finite))

    def forget(self, trial: Trial[Any], last: int) -> None:
        """The epochs behind `last` are lost; trackers show both the lost ones and the new."""
        self._ledger.forget(trial, last)

    def preempt(self, trial: Trial[Any], reason: str) -> None:
        """Its worker is gone."""
        self._ledger.preempt(trial, reason)
        self._leave(trial.number, lambda tracker: tracker.pause(trial.number))

    def end(self, trial: Trial[Any], state: TrialState, reason: str | None) -> None:
        """The trial has ended."""
        self._ledger.end(trial, state, reason)
        self._leave(trial.number, lambda tracker: tracker.end(trial.number, state, reason))

    def _leave(self, number: int, call: Callable[[Tracker], None]) -> None:
        if number in self._started:
            self._started.discard(number)
            self._calls.put(call)

    def close(self) -> None:
        """Nothing more comes; wait until it is shown, though not for ever."""
        self._calls.put(None)
        if self._thread.is_alive():
            self._thread.join(_LAST_SECONDS)

    def _work(self) -> None:
        trackers: dict[str, Tracker] = {}
        for chosen in self._chosen:
            try:
                trackers[chosen.name] = _made(chosen, self._study)
            except Exception as error:  # noqa: BLE001  whatever a library raises
                self._left_out(chosen.name, error)
        while (call := self._calls.get()) is not None:
            for name, tracker in list(trackers.items()):
                try:
                    call(tracker)
                except Exception as error:  # noqa: BLE001
                    self._left_out(name, error)
                    del trackers[name]
        for name, tracker in trackers.items():
            try:
                tracker.close()
            except Exception as error:  # noqa: BLE001
                self._left_out(name, error)

    def _left_out(self, name: str, error: Exception) -> None:
        _LOG.info("tracker %s", name, exc_info=error)
        said = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        self._say(f"The tracker {name} is left out from here on: {said}")


def _made(chosen: Options, study: TrackedStudy) -> Tracker:
    kind: Any = TRACKERS.kind(chosen.name)
    made: Tracker = kind(study, **chosen.model_dump(exclude={"name"}))
    return made


def _is_metric(name: str, value: object) -> bool:
    return name != "epoch" and isinstance(value, int | float) and math.isfinite(value)


def _shown(trial: Trial[Any]) -> TrackedTrial:
    network = trial.point
    spent = cost(network)
    parameters: dict[str, str | int | float] = {
        "operators": network.name,
        "block_type": network.block_type,
        "depth": network.depth,
        "params": spent.params,
        "macs": spent.macs,
        "repeat": trial.repeat,
    }
    name = f"{trial.number:05d} {network.name}"
    return TrackedTrial(trial.number, network.id, name[:120], parameters)
