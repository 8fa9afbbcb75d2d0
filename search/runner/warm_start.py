"""What a new study takes from earlier ones: their results where they compare, else their best."""

from collections.abc import Mapping

from search.config import Config
from search.runner.proposals import Proposal
from search.runner.ranking import best_first, networks_of
from search.runner.telling import Telling
from search.schedulers import NoScheduler
from search.searchers import DistinctSearcher, Searcher, Task
from search.store import Store, StudyHistory, StudyRecord
from space import Architecture

POINTS = 10
"""So many of the best points of each earlier study are tried first."""


def warm_points(
    store: Store,
    study: StudyRecord,
    config: Config,
    searcher: Searcher[Architecture],
    task: Task[Architecture],
) -> list[Proposal]:
    """Tell the searcher what earlier studies know, and say which of their points to try first.

    Results under the same protocol are told as they are: they compare. Results on other data or
    under another protocol do not; of them only the order counts, through the points tried first.
    Points that this study's space or constraints do not allow are left out. Only what had ended
    before this study began is used, so that every run of the study starts alike.
    """
    proposals: list[Proposal] = []
    for name in config.warm_start:
        earlier = store.study(name)
        history = store.history(earlier.id)
        allowed = {
            id_: architecture
            for id_, architecture in networks_of(history).items()
            if config.search_space.contains(architecture) and task.feasible(architecture)
        }
        kept = _before(history, study, allowed)
        if earlier.protocol_hash == study.protocol_hash:
            # Not told as points of this study: one that is proposed is taken over, not trained.
            inner = searcher.inner if isinstance(searcher, DistinctSearcher) else searcher
            scheduler = NoScheduler(task.goals, task.fidelities)
            Telling((inner,), scheduler, task.known).retell(kept, allowed)
        best = best_first(kept, allowed, task)[:POINTS]
        proposals += [Proposal(allowed[t.architecture_id], f"warm start: {name}") for t in best]
    return proposals


def _before(
    history: StudyHistory, study: StudyRecord, allowed: Mapping[str, Architecture]
) -> StudyHistory:
    """What had ended when the study began, of the architectures that it allows."""
    trials = [
        trial
        for trial in history.trials
        if trial.architecture_id in allowed
        and not trial.repeat
        and trial.ended is not None
        and trial.ended <= study.created
    ]
    ids = {trial.id for trial in trials}
    events = [event for event in history.events if event.trial_id in ids]
    return StudyHistory(trials, history.curves, history.networks, events)
