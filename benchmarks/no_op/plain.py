"""The plain script that a user would write: Ray Tune, OptunaSearch, and Optuna's SQLite storage."""

import sqlite3
import time
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.storages import RDBStorage
from ray import tune
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch

from benchmarks.no_op.figures import PLAIN, Overhead, overhead
from benchmarks.no_op.ours import CONCURRENT, SPACE
from benchmarks.no_op.stopwatch import Shares, Stopwatch, public_methods
from benchmarks.no_op.training import accuracy_of
from search.ray_executor.connection import connected_to_ray
from space import DesignSpace

STUDY = "no-op"
FILE = "optuna.db"


class NoOp(tune.Trainable):  # type: ignore[misc, unused-ignore]
    """Reports once."""

    def setup(self, config: dict[str, Any]) -> None:
        """Take the parameters."""
        self._parameters = config

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The same process takes the next trial, as ours does."""
        self._parameters = new_config
        return True

    def step(self) -> dict[str, Any]:
        """The only epoch."""
        accuracy = accuracy_of(repr(sorted(self._parameters.items())))
        return {"accuracy": accuracy, "done": True}


@cache
def parameters(draws: int = 500) -> dict[str, list[Any]]:
    """The decisions of our space as parameters without conditions, each with all its values."""
    space, rng = DesignSpace.from_yaml(SPACE), np.random.default_rng(0)
    found: dict[str, dict[Any, None]] = {}
    for _ in range(draws):
        for decision in space.decisions(space.sample(rng)):
            found.setdefault(decision.name, {}).update(dict.fromkeys(decision.options))
    return {name: list(values) for name, values in found.items() if len(values) > 1}


def distributions() -> dict[str, BaseDistribution]:
    """The parameters as Optuna's."""
    return {name: CategoricalDistribution(values) for name, values in parameters().items()}


def write_history(folder: Path, trials: int) -> None:
    """A study with so many complete random trials.

    The first is added by Optuna, which takes some 80 ms for one; the others are copies of its rows
    with other choices and another value.
    """
    file, choices, rng = folder / FILE, parameters(), np.random.default_rng(1)
    study = optuna.create_study(storage=f"sqlite:///{file}", study_name=STUDY, direction="maximize")
    first = {name: values[0] for name, values in choices.items()}
    study.add_trial(
        optuna.trial.create_trial(params=first, distributions=distributions(), value=0.5)
    )
    with closing(sqlite3.connect(file)) as connection, connection:
        template = {table: _rows(connection, table) for table in _TABLES}
        for number in range(1, trials):
            picked = {name: int(rng.integers(len(values))) for name, values in choices.items()}
            for table, rows in template.items():
                for row in rows:
                    _insert(connection, table, _changed(row, number, picked))


_TABLES = ("trials", "trial_params", "trial_values")
_OWN_KEYS = ("param_id", "trial_value_id")
Row = dict[str, Any]


def _rows(connection: sqlite3.Connection, table: str) -> list[Row]:
    found = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of ours
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found]


def _changed(row: Row, number: int, picked: dict[str, int]) -> Row:
    """A row of the first trial, as that of another trial."""
    new = {name: value for name, value in row.items() if name not in _OWN_KEYS}
    new["trial_id"] += number
    if "number" in new:
        new["number"] = number
    if "param_name" in new:
        new["param_value"] = picked[new["param_name"]]
    if "objective" in new:
        new["value"] = accuracy_of(str(number))
    return new


def _insert(connection: sqlite3.Connection, table: str, row: Row) -> None:
    places = ", ".join("?" for _ in row)
    statement = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})"  # noqa: S608
    connection.execute(statement, list(row.values()))


def measure(folder: Path, history: int, trials: int) -> Overhead:
    """Run so many no-op trials after so many of history.

    Args:
        folder: with the history of `write_history`, or empty where there is none.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = folder / FILE
    stopwatch = Stopwatch()
    shares: Shares = {
        "searcher": [(OptunaSearch, "suggest"), (OptunaSearch, "on_trial_complete")],
        "store": public_methods(RDBStorage),
    }
    begun = time.perf_counter()
    with stopwatch.timing(shares), stopwatch.noting_ends(OptunaSearch, "on_trial_complete"):
        run(folder, file, trials + 1)
    complete = _complete(file)
    assert complete == history + trials + 1, f"only {complete} trials are complete"
    return overhead(PLAIN, history, stopwatch, tuple(shares), begun)


def _complete(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        query = "SELECT count(*) FROM trials WHERE state = 'COMPLETE'"
        return int(connection.execute(query).fetchone()[0])


def run(folder: Path, file: Path, trials: int) -> None:
    """Ray Tune as its documentation shows it."""
    with connected_to_ray(None):
        search = OptunaSearch(
            distributions(),
            metric="accuracy",
            mode="max",
            sampler=optuna.samplers.TPESampler(seed=0),
            study_name=STUDY,
            storage=RDBStorage(f"sqlite:///{file}"),
        )
        tune.Tuner(
            tune.with_resources(NoOp, {"cpu": 1}),
            tune_config=tune.TuneConfig(
                search_alg=ConcurrencyLimiter(search, max_concurrent=CONCURRENT),
                num_samples=trials,
                reuse_actors=True,
                metric="accuracy",
                mode="max",
            ),
            run_config=tune.RunConfig(
                name="plain",
                storage_path=str(folder / "ray"),
                # The trainable has nothing to save.
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                verbose=0,
            ),
        ).fit()
