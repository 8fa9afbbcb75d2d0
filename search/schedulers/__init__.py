"""Schedulers: which trials are worth more epochs."""

from search.schedulers.asha import Asha, Moasha
from search.schedulers.base import GO_ON, NoScheduler, Scheduler, Verdict
from search.schedulers.hyperband import Hyperband
from search.schedulers.make import SCHEDULERS, make_scheduler, scheduler_class
from search.schedulers.median import MedianStopping

__all__ = [
    "GO_ON",
    "SCHEDULERS",
    "Asha",
    "Hyperband",
    "MedianStopping",
    "Moasha",
    "NoScheduler",
    "Scheduler",
    "Verdict",
    "make_scheduler",
    "scheduler_class",
]
