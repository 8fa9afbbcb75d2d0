"""A store of 100,000 trials in half a minute: drawn networks, then copies of all their rows."""

import sqlite3
from contextlib import closing
from pathlib import Path

from benchmarks.filled_store import fill
from search.store import open_store

TRIALS = 100_000
_DRAWN = 2_500  # to draw a network and price it takes longer than to copy it forty times
_LOWER = 0.0007
_OF_TRIAL = {"trials": "id", "metrics": "trial_id"}
_OF_NETWORK = {"architectures": "id", "architecture_mixers": "architecture_id"}
_ACCURACIES = ("accuracy", "best_accuracy", "last_accuracy", "validation_accuracy")


def many(path: Path) -> None:
    """At least so many ended trials in four studies of two protocols.

    A copy has another id than its JSON would give, and an accuracy a little lower; all else is
    its original's.
    """
    with open_store(str(path), create=True) as store:
        fill(store, _DRAWN)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA synchronous = off")
        database.execute("CREATE TEMP TABLE drawn AS SELECT id FROM architectures")
        (last,) = database.execute("SELECT max(id) FROM trials").fetchone()
        for copy in range(1, TRIALS // _DRAWN):
            for table in (*_OF_NETWORK, *_OF_TRIAL):
                database.execute(_copying(database, table, copy, last))
        database.execute("ANALYZE")
        database.commit()


def _copying(database: sqlite3.Connection, table: str, copy: int, last: int) -> str:
    """The statement that copies what was drawn once more; `last` is the last of its trials."""
    found = database.execute(f"SELECT name FROM pragma_table_info('{table}')")
    names = [str(name) for (name,) in found]
    trial, network = _OF_TRIAL.get(table), _OF_NETWORK.get(table, "architecture_id")
    values = {name: name for name in names}
    values |= {name: f"{name} - {copy * _LOWER}" for name in _ACCURACIES if name in values}
    values |= {name: f"{name} + {copy * last}" for name in (trial, "number") if name in values}
    if network in values:
        values[network] = f"'{copy:04x}' || substr({network}, 5)"
    drawn = f"{trial} <= {last}" if trial else f"{network} IN (SELECT id FROM drawn)"
    chosen = ", ".join(values[name] for name in names)
    return f"INSERT INTO {table} ({', '.join(names)}) SELECT {chosen} FROM {table} WHERE {drawn}"
