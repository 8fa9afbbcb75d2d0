"""Trackers: experiment trackers of others that are shown what a study trains, each trial a run."""

from search.trackers.tracker import TRACKERS, TrackedStudy, TrackedTrial, Tracker

__all__ = ["TRACKERS", "TrackedStudy", "TrackedTrial", "Tracker"]
