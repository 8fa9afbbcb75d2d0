"""Schedulers: which trials are worth more epochs."""

from search.schedulers.asha import Asha
from search.schedulers.base import GO_ON, NoScheduler, Scheduler, Verdict
from search.schedulers.make import SCHEDULERS, make_scheduler, scheduler_class

__all__ = [
    "GO_ON",
    "SCHEDULERS",
    "Asha",
    "NoScheduler",
    "Scheduler",
    "Verdict",
    "make_scheduler",
    "scheduler_class",
]
