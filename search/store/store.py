"""The store: every table's reads and writes behind one object."""

from search.store.architectures import Architectures
from search.store.epochs import Epochs
from search.store.events import Events
from search.store.histories import Histories
from search.store.readings import Readings
from search.store.reaper import Reaper
from search.store.reuse import Reuse
from search.store.runs import Runs
from search.store.studies import Studies
from search.store.summaries import Summaries
from search.store.trials import Trials


class Store(
    Studies,
    Summaries,
    Runs,
    Trials,
    Epochs,
    Events,
    Histories,
    Reuse,
    Architectures,
    Readings,
    Reaper,
):
    """All that searches did; `open_store` makes one.

    Each method is one transaction. Safe to use from several threads and from any number of
    processes, each with its own Store; a Store does not cross a fork. Every method raises
    StoreError when the database fails; connections that broke are replaced silently.
    """
