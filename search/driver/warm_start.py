"""What a study knows of earlier ones: their results, or at least which points were the best."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from itertools import chain, zip_longest

from search.config import Config
from search.driver.extra_trials import ranked_trials
from search.driver.proposals import Proposal
from search.driver.replay import networks_of, study_of_history
from search.objectives import judged_by
from search.searchers import DistinctSearcher, Searcher, Task
from search.store import Store, StudyHistory, StudyRecord
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
    before this study began is used, so that every run of the study starts alike. One thing is
    not: where an ended trial was continued since and has lost its checkpoint, the store has the
    figures of the second training alone, and only these can be told.

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
        networks = networks_of(history)
        allowed = {
            id_
            for id_, architecture in networks.items()
            if config.search_space.contains(architecture) and task.feasible(architecture)
        }
        cut = study.objective.get("warm_start", {}).get(name, len(history.events))
        first = [t for t in history.trials if not t.repeat and t.architecture_id in allowed]
        # The log decides, not the rows: a trial that was continued later had ended before, too.
        history = replace(history, trials=first, events=history.events[:cut])
        then = study_of_history(history, networks, task, judged_by(earlier.protocol))
        if earlier.protocol_hash == study.protocol_hash:
            # Not told as points of this study: one that is proposed is taken over, not trained.
            inner = searcher.inner if isinstance(searcher, DistinctSearcher) else searcher
            ended = _what_had_ended(history, then)
            study_of_history(ended, networks, task, judged_by(study.protocol), [inner])
        ranked = ranked_trials(then)[:POINTS]
        best.append([Proposal(trial.point, f"warm start: {name}") for trial in ranked])
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
    """How long the logs of earlier studies are, by name; a new study keeps that."""
    return {name: len(store.events.of_study(store.studies.get(name).id)) for name in names}


def _what_had_ended(history: StudyHistory, then: Study[Architecture]) -> StudyHistory:
    """The part of a history that is of trials which had ended, with the epochs they had then."""
    trials = [
        trial
        for trial in history.trials
        if trial.number in then.trials and then.trials[trial.number].state.is_terminal
    ]
    curves = {
        trial.id: [
            r for r in history.curves[trial.id] if r.epoch in then.trials[trial.number].curve
        ]
        for trial in trials
    }
    return replace(history, trials=trials, curves=curves)
