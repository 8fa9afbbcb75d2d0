"""Schedulers: which trials are worth more epochs."""

from search.schedulers.asha import Asha, Moasha
from search.schedulers.hyperband import Hyperband
from search.schedulers.median import MedianStopping
from search.schedulers.scheduler import (
    CONTINUE,
    SCHEDULERS,
    Decision,
    NoScheduler,
    Scheduler,
    make_scheduler,
)

__all__ = [
    "CONTINUE",
    "SCHEDULERS",
    "Asha",
    "Decision",
    "Hyperband",
    "MedianStopping",
    "Moasha",
    "NoScheduler",
    "Scheduler",
    "make_scheduler",
]
