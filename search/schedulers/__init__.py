"""Schedulers: which trials are worth more epochs."""

from search.schedulers.asha import Asha, Moasha
from search.schedulers.base import CONTINUE, Decision, NoScheduler, Scheduler
from search.schedulers.hyperband import Hyperband
from search.schedulers.make import SCHEDULERS, make_scheduler
from search.schedulers.median import MedianStopping

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
