"""No-op trials through the real path: our runner on Ray Tune, and a real SQLite store."""

import time
from pathlib import Path
from typing import Any

from benchmarks.no_op.figures import Overhead, overhead
from benchmarks.no_op.stopwatch import Shares, Stopwatch, public_methods
from benchmarks.no_op.training import accuracy_of
from search.config import Config
from search.driver.assignment import Report
from search.driver.session import StudySession
from search.driver.study_progress import Progress
from search.driver.study_setup import begin_session, create_study
from search.runner import run_study
from search.searchers import DistinctSearcher
from search.store import ProcessIdentity, RunRecord, Store, open_store
from search.store.database import StorePart
from space.input.plain_files import read_yaml
from trainers import describe_data

TRAINING = "benchmarks.no_op.training:make_training"
SPACE = Path(__file__).parents[2] / "configs" / "spaces" / "fashion-quickstart.yaml"
CONCURRENT = 2


def configuration(folder: Path, searcher: str, trials: int) -> Config:
    """A study of the quickstart space whose trainings have one epoch."""
    values: dict[str, Any] = {
        "study": f"no-op-{searcher}",
        "store": str(folder / "mixspace.db"),
        "checkpoints": str(folder / "checkpoints"),
        "space": read_yaml(SPACE),
        "data": {"name": "fashion-mnist", "limit_train": 100, "limit_validation": 50},
        "protocol": {"epochs": 1, "batch_size": 50, "warmup_epochs": 0},
        "searcher": {"name": searcher},
        "scheduler": {"name": "none"},
        "initial": [],
        "trials": trials,
        "resources": {"cpus_per_trial": 1, "concurrent_trials": CONCURRENT},
    }
    return Config.from_dict(values)


def write_history(folder: Path, searcher: str, trials: int) -> None:
    """A study with so many complete trials of random points, written as a session writes them."""
    final = configuration(folder, searcher, trials)
    random = configuration(folder, "random", trials)
    protocol = describe_data(final.data, final.protocol).protocol
    with open_store(final.store, create=True) as store:
        study = create_study(store, final, protocol)
        run = _begin_run(store, study.id)
        session = begin_session(store, study, run, random, protocol)
        while (assignment := session.next_assignment()) is not None:
            _run_at_once(session, assignment.trial.number, assignment.architecture.to_json())
        store.runs.end(run.id, "the history is written")


def _begin_run(store: Store, study_id: int) -> RunRecord:
    return store.runs.begin(
        study_id,
        process=ProcessIdentity.of(),
        machine={},
        code_version="benchmark",
    )


def _run_at_once(session: StudySession, number: int, architecture: str) -> None:
    figures = {
        "epoch": 1,
        "train_loss": 1.0,
        "validation_loss": 1.0,
        "validation_accuracy": accuracy_of(architecture),
        "learning_rate": 0.1,
        "seconds": 0.0,
    }
    session.started(number)
    session.reported(number, Report((figures,)))
    session.ended(number, Report(complete=True))


class _Silent:
    def say(self, text: str) -> None:
        """Nobody listens."""

    def show(self, progress: Progress) -> None:
        """Nobody looks."""


def store_methods() -> list[tuple[type, str]]:
    """The methods of the store and of all its parts."""
    owners: list[type] = [Store, *StorePart.__subclasses__()]
    return [method for owner in owners for method in public_methods(owner)]


def measure(folder: Path, searcher: str, history: int, trials: int) -> Overhead:
    """Run so many no-op trials after so many of history.

    Args:
        folder: with the history of `write_history`, or empty where there is none.
    """
    stopwatch = Stopwatch()
    shares: Shares = {
        "searcher": [(DistinctSearcher, "ask"), (DistinctSearcher, "tell")],
        "store": store_methods(),
    }
    begun = time.perf_counter()
    with stopwatch.timing(shares), stopwatch.noting_ends(StudySession, "ended"):
        config = configuration(folder, searcher, history + trials + 1)
        outcome = run_study(config, resume=bool(history), watcher=_Silent(), training=TRAINING)
    assert outcome.progress.ended == history + trials + 1, outcome
    return overhead(searcher, history, stopwatch, tuple(shares), begun)
