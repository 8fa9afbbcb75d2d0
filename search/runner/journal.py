"""What became of trials, on its way to the store: kept in a file while the store is away.

Every write is made at once and in order where the store answers. Once it does not, this write and
all that follow stand in the journal, a file beside the checkpoints, until the store is back; a
driver that is killed meanwhile leaves the file to the next `--resume`. Every write may be made
twice without harm, so nothing depends on knowing whether the last one arrived.
"""

import json
import logging
import os
import re
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from search.store import EpochRecord, Store, StoreAway, TrialState

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"journal-of-run-(\d+)\.jsonl")

Values = Mapping[str, Any]


def _finish(store: Store, run: int, v: Values) -> None:
    store.finish_trial(v["trial"], TrialState(v["state"]), v["reason"], run_id=run)


_WRITES: Mapping[str, Callable[[Store, int, Values], object]] = {
    "start": lambda store, run, v: store.start_trial(v["trial"], run, attempt=v["attempt"]),
    "epoch": lambda store, run, v: store.record_epoch(
        v["trial"], EpochRecord(**v["figures"]), run_id=run
    ),
    "forget": lambda store, run, v: store.forget_epochs(v["trial"], after=v["after"], run_id=run),
    "finish": _finish,
    "preempt": lambda store, run, v: store.preempt_trial(v["trial"], v["reason"], run_id=run),
    "disinherit": lambda store, run, v: store.disinherit_trial(v["trial"], run_id=run),
    "end": lambda store, run, v: store.end_run(run, v["reason"]),
}


class Journal:
    """Writes the results of one run.

    Args:
        store, run_id: where, and as whom.
        folder: for the file.
        answered_since: whether the store has answered anybody since a moment of
            `time.monotonic`; asked before it is tried again, as each try may take seconds.
    """

    def __init__(
        self,
        store: Store,
        run_id: int,
        folder: Path,
        answered_since: Callable[[float], bool] = lambda moment: True,
    ) -> None:
        self._store, self._run_id = store, run_id
        self._answered_since = answered_since
        self.path = folder / f"journal-of-run-{run_id}.jsonl"
        self._waiting: deque[tuple[str, Values]] = deque()
        self._failed: float | None = None
        self._since: float | None = None
        self.error: StoreAway | None = None

    @property
    def away(self) -> bool:
        """Whether writes wait for the store."""
        return self._since is not None

    def away_for(self) -> float:
        """Seconds since the store was first found away; 0 while it answers."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def note_away(self, error: StoreAway) -> None:
        """The store did not answer somebody's question."""
        self._failed = time.monotonic()
        self._since = self._failed if self._since is None else self._since
        self.error = error

    def start(self, trial: int, attempt: int) -> None:
        """A worker has taken the trial up, for the `attempt`-th time."""
        self._write("start", trial=trial, attempt=attempt)

    def epoch(self, trial: int, figures: EpochRecord) -> None:
        """An epoch was reported."""
        self._write("epoch", trial=trial, figures=asdict(figures))

    def forget(self, trial: int, after: int) -> None:
        """The epochs behind `after` are lost."""
        self._write("forget", trial=trial, after=after)

    def finish(self, trial: int, state: TrialState, reason: str | None) -> None:
        """The trial has ended."""
        self._write("finish", trial=trial, state=str(state), reason=reason)

    def preempt(self, trial: int, reason: str) -> None:
        """The trial was interrupted."""
        self._write("preempt", trial=trial, reason=reason)

    def disinherit(self, trial: int) -> None:
        """The trial began from scratch after all."""
        self._write("disinherit", trial=trial)

    def end(self, reason: str) -> None:
        """The run has ended."""
        self._write("end", reason=reason)

    def flush(self, *, at_once: bool = False) -> bool:
        """Write what waits, as far as the store takes it; whether nothing waits any more.

        Args:
            at_once: try although nobody has heard of the store.
        """
        if self._since is None:
            return True
        assert self._failed is not None
        if not at_once and not self._answered_since(self._failed):
            return False
        while self._waiting:
            kind, values = self._waiting[0]
            try:
                _WRITES[kind](self._store, self._run_id, values)
            except StoreAway as error:
                self.note_away(error)
                return False
            self._waiting.popleft()
        _LOG.log(
            logging.WARNING if self.path.exists() else logging.DEBUG,
            "the store answers again after %.0f s",
            self.away_for(),
        )
        self._since = self._failed = self.error = None
        self.path.unlink(missing_ok=True)
        return True

    def _write(self, kind: str, **values: Any) -> None:
        if self.flush():
            try:
                _WRITES[kind](self._store, self._run_id, values)
                return
            except StoreAway as error:
                _LOG.warning("%s; what happens is kept in %s until it is back", error, self.path)
                self.note_away(error)
        self._append(kind, values)

    def _append(self, kind: str, values: Values) -> None:
        self._waiting.append((kind, values))
        line = json.dumps([kind, values])
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())


def replay(store: Store, folder: Path) -> int:
    """Write what the journals of earlier runs hold, and remove them; the number of entries.

    Raises:
        StoreAway: the store is away again; nothing is lost.
    """
    count = 0
    found = ((int(m[1]), path) for path in folder.glob("*") if (m := _NAME.fullmatch(path.name)))
    for run_id, path in sorted(found):
        for kind, values in _entries(path):
            _WRITES[kind](store, run_id, values)
            count += 1
        path.unlink()
    return count


def _entries(path: Path) -> Iterator[tuple[str, Values]]:
    """The entries of a file; a last line that was cut off when its writer died is none."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            kind, values = json.loads(line)
        except ValueError:
            _LOG.warning("%s: a line was cut off", path)
            return
        if kind in _WRITES:
            yield kind, values
