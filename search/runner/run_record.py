"""A run's row in the store: begun, kept alive, and ended, also where the store stays away."""

import logging
import os
from collections.abc import Callable

from search.config import Resources
from search.driver.journal import Journal
from search.driver.provenance import code_version, describe_machine
from search.driver.stop_request import StopRequest
from search.ray_executor.cluster import Cluster
from search.store import ProcessIdentity, RunRecord, Store, StoreError, StudyRecord

_LOG = logging.getLogger(__name__)


def begin_run(
    store: Store, study: StudyRecord, cluster: Cluster, resources: Resources
) -> RunRecord:
    """A new run of the study, by this process on this machine."""
    return store.runs.begin(
        study.id,
        process=ProcessIdentity.of(),
        # What may differ between the runs of a study, and changes results by rounding.
        machine=describe_machine(cluster.resources) | {"trial": resources.model_dump(mode="json")},
        code_version=code_version(),
    )


def heartbeat_of(store: Store, stop: StopRequest) -> Callable[[int], bool]:
    """Says that a run is alive; False when another ended it, not when a stop has."""
    # Asked after a stop too: the journal takes a beat for an answer of the store.
    return lambda run_id: store.runs.heartbeat(run_id) or stop.kind is not None


def close_journal(journal: Journal, stop: StopRequest) -> None:
    """Write what still waits; where the store is away, the end of the run waits with it."""
    was_away = journal.away
    written = journal.flush(at_once=True)
    # Where nothing waited it was not asked, and may be away still.
    if not written or (was_away and stop.kind is not None):
        journal.end_run(stop.reason or "the run ended while the store was away")


def end_run(store: Store, run: RunRecord, reason: str) -> None:
    """Write that the run ended, if the store takes it."""
    try:
        store.runs.end(run.id, reason)
    except StoreError as error:
        # The next --resume finds this process gone and takes its trials up.
        _LOG.warning("the end of the run could not be written down: %s", error)


def killed() -> str:
    """What is known of a driver that is gone without a word."""
    return f"the driver was killed: process {os.getpid()} is gone"
