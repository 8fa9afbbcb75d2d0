"""The store: what every search did, in one SQLite file or a PostgreSQL database.

`open_store` is the way in, `open_to_read` that of those who only look; what comes out are frozen
records. Nothing here imports torch, Ray or Optuna.
"""

from search.store.copying import CopiedStudies, copy_studies
from search.store.database import StoreAway, StoreError
from search.store.deletion import StudyContents
from search.store.heartbeat import Heartbeat, stalled_heartbeats
from search.store.open import open_store, open_to_read
from search.store.process import ProcessIdentity, process_is_alive, process_started
from search.store.records import (
    ArchitectureRecord,
    EpochRecord,
    EventRecord,
    LatencyRecord,
    LatencySettingRecord,
    MixerRecord,
    NetworkRecord,
    NoteRecord,
    ParentRecord,
    RunRecord,
    StudyHistory,
    StudyRecord,
    StudySummary,
    TestReadingRecord,
    TrialRecord,
)
from search.store.reuse import TrainedElsewhere
from search.store.schema import NoStore
from search.store.store import Store
from search.store.trials import DuplicateArchitecture
from search.trial_states import EventKind, TrialState

__all__ = [
    "ArchitectureRecord",
    "CopiedStudies",
    "DuplicateArchitecture",
    "EpochRecord",
    "EventKind",
    "EventRecord",
    "Heartbeat",
    "LatencyRecord",
    "LatencySettingRecord",
    "MixerRecord",
    "NetworkRecord",
    "NoStore",
    "NoteRecord",
    "ParentRecord",
    "ProcessIdentity",
    "RunRecord",
    "Store",
    "StoreAway",
    "StoreError",
    "StudyContents",
    "StudyHistory",
    "StudyRecord",
    "StudySummary",
    "TestReadingRecord",
    "TrainedElsewhere",
    "TrialRecord",
    "TrialState",
    "copy_studies",
    "open_store",
    "open_to_read",
    "process_is_alive",
    "process_started",
    "stalled_heartbeats",
]
