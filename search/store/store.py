"""The store: every table's reads and writes, each table behind a part of its own."""

from collections.abc import Callable
from typing import Self, TypeVar

from sqlalchemy import Connection

from search.store.architectures import Architectures
from search.store.database import Database
from search.store.epochs import Epochs
from search.store.events import Events
from search.store.latencies import Latencies
from search.store.reuse import ReusableResults
from search.store.runs import Runs
from search.store.studies import Studies
from search.store.tags import Tags
from search.store.test_readings import TestAudit
from search.store.trials import Trials

Result = TypeVar("Result")


class Store:
    """All that searches did; `open_store` makes one.

    Each method of a part is one transaction. Safe to use from several threads and from any number
    of processes, each with its own Store; a Store does not cross a fork. Every method raises
    StoreError when the database fails; connections that broke are replaced silently.

    Attributes:
        url: the store's URL, passwords hidden.
        studies, runs, trials, epochs, events, architectures: what was searched.
        results: those that one study takes over from another.
        tags: words and notes that people gave architectures.
        test_audit: who read the test split, and when.
        latencies: what parts and networks take on devices.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.url = database.url
        self.studies = Studies(database)
        self.runs = Runs(database)
        self.trials = Trials(database)
        self.epochs = Epochs(database)
        self.events = Events(database)
        self.architectures = Architectures(database)
        self.results = ReusableResults(database)
        self.tags = Tags(database)
        self.test_audit = TestAudit(database)
        self.latencies = Latencies(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({self.url!r})"

    def close(self) -> None:
        """Gives all connections back."""
        self._database.close()

    def read(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` reads in one transaction; it may be repeated, as `Database.read` says."""
        return self._database.read(work)

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """What `work` returns, its changes committed together or not at all."""
        return self._database.write(work)
