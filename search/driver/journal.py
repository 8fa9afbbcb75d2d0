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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

from search.driver.assignment import EPOCH_METRICS
from search.store import EpochRecord, RunRecord, Store, StoreAway, TrialRecord, TrialState
from search.study import Ledger, Trial

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"journal-of-run-(\d+)\.jsonl")

Values = Mapping[str, Any]


_HEAD = "run"
_FIELDS: Mapping[str, set[str]] = {
    "start": {"trial", "attempt"},
    "epoch": {"trial", "figures"},
    "forget": {"trial", "after"},
    "finish": {"trial", "state", "reason"},
    "preempt": {"trial", "reason"},
    "disinherit": {"trial"},
    "end": {"reason"},
}
_KNOWN_METRICS = frozenset(field.name for field in fields(EpochRecord))


def _epoch(store: Store, run: int, v: Values) -> None:
    known = {name: value for name, value in v["figures"].items() if name in _KNOWN_METRICS}
    store.epochs.record(v["trial"], EpochRecord(**known), run_id=run)


def _finish(store: Store, run: int, v: Values) -> None:
    store.trials.finish(v["trial"], TrialState(v["state"]), v["reason"], run_id=run)


_WRITES: Mapping[str, Callable[[Store, int, Values], object]] = {
    "start": lambda store, run, v: store.trials.start(v["trial"], run, attempt=v["attempt"]),
    "epoch": _epoch,
    "forget": lambda store, run, v: store.epochs.forget(v["trial"], after=v["after"], run_id=run),
    "finish": _finish,
    "preempt": lambda store, run, v: store.trials.preempt(v["trial"], v["reason"], run_id=run),
    "disinherit": lambda store, run, v: store.trials.disinherit(v["trial"], run_id=run),
    "end": lambda store, run, v: store.runs.end(run, v["reason"]),
}


class Journal(Ledger):
    """Writes the results of one run: the ledger of a study whose trials are in the store.

    Args:
        store, run: where, and as whom.
        folder: for the file.
        answered_since: whether the store has answered anybody since a moment of
            `time.monotonic`; asked before it is tried again, as each try may take seconds.
    """

    def __init__(
        self,
        store: Store,
        run: RunRecord,
        folder: Path,
        answered_since: Callable[[float], bool] = lambda moment: True,
    ) -> None:
        self._store, self._run = store, run
        self._answered_since = answered_since
        self.path = folder / f"journal-of-run-{run.id}.jsonl"
        self._ids: dict[int, int] = {}
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

    def know(self, record: TrialRecord) -> None:
        """A trial of the study has this row."""
        self._ids[record.number] = record.id

    def start(self, trial: Trial[Any]) -> None:
        """A worker has taken the trial up, for the `attempts`-th time."""
        self._write("start", trial=self._ids[trial.number], attempt=trial.attempts)

    def epoch(self, trial: Trial[Any], epoch: int, metrics: Mapping[str, float | None]) -> None:
        """An epoch was reported for the first time."""
        figures = {"epoch": epoch, **{name: metrics.get(name) for name in EPOCH_METRICS}}
        self._write("epoch", trial=self._ids[trial.number], figures=figures)

    def forget(self, trial: Trial[Any], last: int) -> None:
        """The epochs behind `last` are lost."""
        self._write("forget", trial=self._ids[trial.number], after=last)

    def preempt(self, trial: Trial[Any], reason: str) -> None:
        """Its worker is gone, and another may take it up."""
        self._write("preempt", trial=self._ids[trial.number], reason=reason)

    def end(self, trial: Trial[Any], state: TrialState, reason: str | None) -> None:
        """The trial has ended."""
        id_ = self._ids[trial.number]
        self._write("finish", trial=id_, state=str(state), reason=reason)

    def disinherit(self, trial: Trial[Any]) -> None:
        """The trial began from scratch after all."""
        self._write("disinherit", trial=self._ids[trial.number])

    def end_run(self, reason: str) -> None:
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
                _WRITES[kind](self._store, self._run.id, values)
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
                _WRITES[kind](self._store, self._run.id, values)
                return
            except StoreAway as error:
                _LOG.warning("%s; what happens is kept in %s until it is back", error, self.path)
                self.note_away(error)
        self._append(kind, values)

    def _append(self, kind: str, values: Values) -> None:
        self._waiting.append((kind, values))
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            if file.tell() == 0:
                file.write(_line(_HEAD, {"started": self._run.started.isoformat()}))
            elif not _ends_a_line(file):  # what stands there was cut off
                file.write(b"\n")
            file.write(_line(kind, values))
            file.flush()
            os.fsync(file.fileno())


def replay(store: Store, folder: Path, runs: Iterable[RunRecord]) -> int:
    """Write what the journals of earlier runs hold; the number of entries.

    A file is removed once all of it is written, and set aside as `.damaged` where a part of it
    cannot be read. That of another store, of which this one is a copy, is left alone.

    Args:
        store: of the runs.
        folder: of the journals.
        runs: of the study.

    Raises:
        StoreAway: the store is away again; nothing is lost.
    """
    started = {run.id: run.started.isoformat() for run in runs}
    count = 0
    for run_id, path in _journals(folder):
        entries, whole = _entries(path)
        if not entries or entries[0] != (_HEAD, {"started": started.get(run_id)}):
            continue
        for kind, values in entries[1:]:
            _WRITES[kind](store, run_id, values)
            count += 1
        if whole:
            path.unlink()
        else:
            _LOG.warning("%s: some lines cannot be read; it is kept as .damaged", path)
            path.replace(path.with_name(path.name + ".damaged"))
    return count


def _journals(folder: Path) -> list[tuple[int, Path]]:
    """The journals in a folder, in the order of their runs."""
    try:
        paths = list(folder.iterdir())
    except OSError:  # not there, or not ours to look into
        return []
    return sorted((int(m[1]), path) for path in paths if (m := _NAME.fullmatch(path.name)))


def _entries(path: Path) -> tuple[list[tuple[str, Values]], bool]:
    """The entries of a file, and whether it is whole.

    A last line that was cut off when its writer died is no damage: it was not written.
    """
    lines = path.read_bytes().split(b"\n")
    entries = [_entry(line) for line in lines[:-1] if line]
    return [entry for entry in entries if entry is not None], None not in entries


def _entry(line: bytes) -> tuple[str, Values] | None:
    try:
        kind, values = json.loads(line)
    except (ValueError, TypeError):
        return None
    if kind not in (_HEAD, *_WRITES) or not isinstance(values, dict):
        return None
    needed = _FIELDS.get(kind, set())
    return (kind, values) if needed <= values.keys() else None


def _line(kind: str, values: Values) -> bytes:
    return json.dumps([kind, values]).encode() + b"\n"


def _ends_a_line(file: BinaryIO) -> bool:
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
