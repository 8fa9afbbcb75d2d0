"""Schedulers: which trials are worth more epochs."""

from search.schedulers.asha import GO_ON, Asha, NoScheduler, Scheduler, Verdict

SCHEDULERS = ("none", "asha")
"""The names that a configuration may use."""

__all__ = ["GO_ON", "SCHEDULERS", "Asha", "NoScheduler", "Scheduler", "Verdict"]
