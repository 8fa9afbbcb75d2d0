"""What the store knows of a study, in the words of searchers and schedulers."""

from collections.abc import Mapping
from dataclasses import dataclass

from search.schedulers import Scheduler
from search.searchers import Observation, Searcher
from search.store import Store, TrialRecord, TrialState
from space import Architecture


@dataclass(frozen=True, slots=True)
class Known:
    """One trial of the study: its row, its architecture, its validation accuracy by epoch."""

    trial: TrialRecord
    architecture: Architecture
    curve: Mapping[int, float]


def read_history(store: Store, study_id: int) -> list[Known]:
    """Every trial of a study, in order of their numbers."""
    curves = store.study_curves(study_id)
    return [
        Known(
            trial,
            Architecture.from_json(store.architecture(trial.architecture_id).json),
            {
                record.epoch: record.validation_accuracy
                for record in curves.get(trial.id, [])
                if record.validation_accuracy is not None
            },
        )
        for trial in store.trials(study_id)
    ]


def observation_of(state: TrialState, curve: Mapping[int, float]) -> Observation:
    """What a searcher is told of a trial. The objective is the best validation accuracy."""
    by_epoch = {epoch: {"validation_accuracy": value} for epoch, value in curve.items()}
    best = {"validation_accuracy": max(curve.values())} if curve else {}
    match state:
        case TrialState.COMPLETE:
            return Observation("complete", best, by_epoch)
        case TrialState.PRUNED:
            return Observation("pruned", best, by_epoch)
        case TrialState.FAILED:
            return Observation("failed")
        case TrialState.INFEASIBLE:
            return Observation("infeasible")
        case _:
            return Observation("running", best, by_epoch)


def retell(known: list[Known], searcher: Searcher[Architecture], scheduler: Scheduler) -> None:
    """Bring a new searcher and a new scheduler to where those of the earlier runs were."""
    for item in known:
        searcher.tell(item.architecture, observation_of(item.trial.state, item.curve))
        for epoch, accuracy in sorted(item.curve.items()):
            scheduler.report(item.architecture.id, epoch, {"validation_accuracy": accuracy})
