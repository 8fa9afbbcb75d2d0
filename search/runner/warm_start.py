"""What a new study takes from earlier ones: their results where they compare, else their best."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from search.config import Config
from search.runner.proposals import Proposal
from search.runner.ranking import best_first, networks_of
from search.runner.telling import Telling
from search.schedulers import NoScheduler
from search.searchers import DistinctSearcher, Searcher, Task
from search.store import (
    EventKind,
    Store,
    StudyHistory,
    StudyRecord,
    TrialState,
)
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
        cut = study.objective.get("warm_start", {}).get(name, len(history.events))
        kept = _as_it_was(history, cut, allowed)
        if earlier.protocol_hash == study.protocol_hash:
            # Not told as points of this study: one that is proposed is taken over, not trained.
            inner = searcher.inner if isinstance(searcher, DistinctSearcher) else searcher
            scheduler = NoScheduler(task.goals, task.fidelities)
            Telling((inner,), scheduler, task.known).retell(kept, allowed)
        best = best_first(kept, allowed, task)[:POINTS]
        proposals += [Proposal(allowed[t.architecture_id], f"warm start: {name}") for t in best]
    return proposals


def events_so_far(store: Store, names: Iterable[str]) -> dict[str, int]:
    """How long the logs of earlier studies are, by name; a new study keeps that with its goals."""
    return {name: len(store.events(store.study(name).id)) for name in names}


def _as_it_was(
    history: StudyHistory, events: int, allowed: Mapping[str, Architecture]
) -> StudyHistory:
    """What had ended after so many events, of the architectures that are allowed.

    The log decides, not the rows: a trial that was continued later had ended before, too.
    """
    log = history.events[:events]
    ended: dict[int, TrialState] = {}
    epochs: dict[int, set[int]] = {}
    for event in log:
        known = epochs.setdefault(event.trial_id, set())
        match event.kind:
            case EventKind.EPOCH if event.epoch is not None:
                known.add(event.epoch)
            case EventKind.FORGOTTEN:
                known.difference_update({e for e in known if e > (event.epoch or 0)})
            case EventKind.CONTINUED:
                ended.pop(event.trial_id, None)
            case EventKind.COMPLETE | EventKind.PRUNED | EventKind.FAILED | EventKind.INFEASIBLE:
                ended[event.trial_id] = TrialState(event.kind.value)
    trials = [
        replace(trial, state=ended[trial.id])
        for trial in history.trials
        if trial.id in ended and not trial.repeat and trial.architecture_id in allowed
    ]
    ids = {trial.id for trial in trials}
    curves = {id_: [r for r in history.curves[id_] if r.epoch in epochs[id_]] for id_ in ids}
    kept = [event for event in log if event.trial_id in ids]
    return StudyHistory(trials, curves, history.networks, kept)
