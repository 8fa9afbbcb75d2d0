"""The searches whose overhead is compared, each with a history that every round begins with."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.no_op import ours, plain
from benchmarks.no_op.figures import PLAIN, Overhead


@dataclass(frozen=True)
class TimedSearch:
    """A search after so many trials.

    Attributes:
        name: of the search. history: trials before.
        write: puts the history into an empty folder.
        run: measures in a folder with the history.
    """

    name: str
    history: int
    write: Callable[[Path], None]
    run: Callable[[Path], Overhead]

    def prepare(self, folder: Path) -> None:
        """Write the history, once for all rounds."""
        self._work(folder).mkdir(parents=True)
        if self.history:
            self.write(self._work(folder))
        self._work(folder).rename(self._kept(folder))

    def measure(self, folder: Path) -> Overhead:
        """A round in the folder that was prepared; it leaves the history as it was."""
        work = self._work(folder)
        shutil.copytree(self._kept(folder), work)
        try:
            return self.run(work)
        finally:
            shutil.rmtree(work)

    def _work(self, folder: Path) -> Path:
        # Always the same path: the store knows it.
        return folder / f"{self.name} {self.history}" / "work"

    def _kept(self, folder: Path) -> Path:
        return self._work(folder).with_name("kept")


def own(searcher: str, history: int, trials: int) -> TimedSearch:
    """Our runner and store."""
    return TimedSearch(
        searcher,
        history,
        partial(ours.write_history, searcher=searcher, trials=history),
        partial(ours.measure, searcher=searcher, history=history, trials=trials),
    )


def plain_script(history: int, trials: int) -> TimedSearch:
    """Ray Tune with OptunaSearch and Optuna's SQLite storage."""
    return TimedSearch(
        PLAIN,
        history,
        partial(plain.write_history, trials=history),
        partial(plain.measure, history=history, trials=trials),
    )
