"""What a study knows of earlier ones: their results, or at least which points were the best."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from search.config import Config
from search.driver.extra_trials import networks_of, ranked_trials
from search.driver.proposals import Proposal
from search.driver.replay import replay_history
from search.objectives import judged_by
from search.schedulers import NoScheduler
from search.searchers import DistinctSearcher, Searcher, Task
from search.store import (
    EventKind,
    Store,
    StudyHistory,
    StudyRecord,
    TrialState,
)
from search.study import Study
from space import Architecture

POINTS = 10
"""At most so many of the best points of each earlier study are tried first."""


def warm_points(
    store: Store,
    study: StudyRecord,
    config: Config,
    searcher: Searcher[Architecture],
    task: Task[Architecture],
    beside: Collection[str] = (),
) -> list[Proposal]:
    """Tell the searcher what earlier studies know, and say which of their points to try first.

    Results under the same protocol are told as they are: they compare. Results on other data or
    under another protocol do not; of them only the order counts, through the points tried first.
    Points that this study's space or constraints do not allow are left out. Only what had ended
    before this study began is used, so that every run of the study starts alike.

    Args:
        beside: ids of architectures that the study tries first anyway.

    Returns:
        The best point of each earlier study, then the second of each, and so on: a quarter of
        the trials that the study was made with, so that a raised number changes nothing.
    """
    best: list[list[Proposal]] = []
    for name in config.warm_start:
        earlier = store.studies.get(name)
        history = store.studies.history(earlier.id)
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
            scheduler = NoScheduler(task.objectives, task.fidelities)
            rule = judged_by(study.protocol)
            replay_history(Study(task, (inner,), scheduler, rule), kept, allowed)
        ranked = ranked_trials(kept, allowed, task, judged_by(earlier.protocol))
        ids = [trial.architecture_id for trial in ranked[:POINTS]]
        best.append([Proposal(allowed[id_], f"warm start: {name}") for id_ in ids])
    return _in_turn(best, beside)[: most_warm_points(study.config["trials"])]


def most_warm_points(trials: int) -> int:
    """How many points of earlier studies may be tried first: a quarter of the trials, or one."""
    return max(1, trials // 4)


def _in_turn(best: Sequence[Sequence[Proposal]], beside: Collection[str]) -> list[Proposal]:
    """The first of each list, then the second of each; no architecture twice."""
    found: dict[str, Proposal] = {}
    for proposal in chain.from_iterable(zip_longest(*best)):
        if proposal is not None and proposal.architecture.id not in beside:
            found.setdefault(proposal.architecture.id, proposal)
    return list(found.values())


def events_so_far(store: Store, names: Iterable[str]) -> dict[str, int]:
    """How long the logs of earlier studies are, by name; a new study keeps that with its goals."""
    return {name: len(store.events.of_study(store.studies.get(name).id)) for name in names}


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
