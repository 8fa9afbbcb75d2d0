"""What a run is asked for beside the trials that the study plans."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from search.runner.proposals import Proposal
from search.runner.ranking import best_first, networks_of
from search.searchers import Task
from search.store import Store, StudyRecord, TrialState
from space import Architecture
from space.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class Extra:
    """Work on a study beside its plan, which counts the first trials of architectures only.

    Attributes:
        continued: ids of pruned trials that shall train to their end.
        repeats: architectures to train again, from scratch and with other seeds.
    """

    continued: tuple[int, ...] = ()
    repeats: tuple[Proposal, ...] = ()


NOTHING_EXTRA = Extra()

Asked = Callable[[Store, StudyRecord, Task[Architecture]], Extra]
"""Finds out what a run is asked for, once the study is there."""


def continue_pruned(top: int, numbers: Collection[int] = ()) -> Asked:
    """Let pruned trials train to their end.

    Args:
        top: so many of the best; with `numbers` it is not looked at.
        numbers: of the trials.

    Raises (the function that is returned):
        InputError: a number of no pruned trial, or a study without any.
    """

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> Extra:
        history = store.history(study.id)
        pruned = best_first(history, networks_of(history), task, [TrialState.PRUNED])
        by_number = {trial.number: trial for trial in pruned}
        unknown = [number for number in numbers if number not in by_number]
        if unknown:
            said = ", ".join(map(str, sorted(by_number))) or "none"
            message = f"not a pruned trial of {study.name!r}; pruned: {said}"
            raise InputError(Problem("--trial", f"{number} is {message}") for number in unknown)
        if not pruned:
            raise InputError.of("study", f"{study.name!r} has no pruned trial to continue")
        chosen = [by_number[number] for number in numbers] or pruned[:top]
        return Extra(continued=tuple(trial.id for trial in chosen))

    return find


def repeat_best(top: int, seeds: int) -> Asked:
    """Train the best complete trials again, until each has results of that many seeds.

    Raises (the function that is returned):
        InputError: the study has no complete trial.
    """

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> Extra:
        history = store.history(study.id)
        networks = networks_of(history)
        best = best_first(history, networks, task)[:top]
        if not best:
            raise InputError.of("study", f"{study.name!r} has no complete trial to repeat")
        has = {(trial.architecture_id, trial.repeat) for trial in history.trials}
        return Extra(
            repeats=tuple(
                Proposal(networks[trial.architecture_id], f"repeat of trial {trial.number}", repeat)
                for repeat in range(1, seeds)
                for trial in best
                if (trial.architecture_id, repeat) not in has
            )
        )

    return find
