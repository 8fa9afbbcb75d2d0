"""What a run is asked for beside the trials that the study plans: continued ones, and repeats."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search.driver.proposals import Proposal
from search.driver.replay import networks_of, study_of_history
from search.objectives import best_first, judged_by
from search.searchers import Task
from search.store import Store, StudyHistory, StudyRecord, TrialRecord, TrialState
from search.study import Study, Trial
from search.trial_states import CONTINUABLE
from space import Architecture
from space.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class ExtraTrials:
    """Work on a study beside its plan, which counts the first trials of architectures only.

    Attributes:
        continued: ids of trials that ended short of their last epoch and shall go on.
        repeats: architectures to train again, from scratch and with other seeds.
        nothing_else: whether the study trains nothing beside: no random point, no searcher's. Then
            it takes no result of another study over either.
        retrains: what the study trains in full, to be written down (`RetrainingPlan`); None of a
            study that searches.
    """

    continued: tuple[int, ...] = ()
    repeats: tuple[Proposal, ...] = ()
    nothing_else: bool = False
    retrains: Mapping[str, Any] | None = None

    @property
    def is_nothing(self) -> bool:
        """Whether there is no work in it."""
        return not self.continued and not self.repeats


NO_EXTRA_TRIALS = ExtraTrials()

ExtraTrialsRequest = Callable[[Store, StudyRecord, Task[Architecture]], ExtraTrials]
"""Finds out what a run is asked for, once the study is there."""


def continue_ended(
    *,
    pruned: int = 0,
    failed: bool = False,
    infeasible: bool = False,
    numbers: Collection[int] = (),
) -> ExtraTrialsRequest:
    """Let trials that ended short of their last epoch go on.

    Args:
        pruned: so many of the best pruned ones. failed, infeasible: all of them.
        numbers: of pruned, failed or infeasible trials; with them `pruned` is not looked at.

    Raises (the function that is returned):
        InputError: a number of no such trial, or a study without any.
    """

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> ExtraTrials:
        history = store.studies.history(study.id)
        ended = {t.number: t for t in history.trials if t.state in CONTINUABLE}
        chosen = [*numbers]
        if pruned and not numbers:
            order = ranked_trials(_heard(history, study, task), TrialState.PRUNED)
            chosen += _some("pruned", study, [trial.number for trial in order[:pruned]])
        for state, wanted in {TrialState.FAILED: failed, TrialState.INFEASIBLE: infeasible}.items():
            broken = [n for n, trial in ended.items() if trial.state == state]
            chosen += _some(state, study, broken) if wanted else []
        _refuse_others(chosen, ended, study)
        return ExtraTrials(continued=tuple(ended[number].id for number in dict.fromkeys(chosen)))

    return find


def _some(what: str, study: StudyRecord, found: list[int]) -> list[int]:
    if not found:
        raise InputError.of("study", f"{study.name!r} has no {what} trial to continue")
    return found


def _refuse_others(
    numbers: Collection[int], ended: Mapping[int, TrialRecord], study: StudyRecord
) -> None:
    unknown = [number for number in numbers if number not in ended]
    if unknown:
        said = ", ".join(f"{n} ({trial.state})" for n, trial in sorted(ended.items())) or "none"
        message = f"can not be continued in {study.name!r}; those that can: {said}"
        raise InputError(Problem("--trial", f"{number} {message}") for number in unknown)


def combined(one: ExtraTrialsRequest, other: ExtraTrialsRequest) -> ExtraTrialsRequest:
    """What two ask for, together."""

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> ExtraTrials:
        a, b = one(store, study, task), other(store, study, task)
        both = {(each.architecture.id, each.repeat): each for each in b.repeats + a.repeats}
        return ExtraTrials(
            a.continued + b.continued,
            tuple(both.values()),
            a.nothing_else or b.nothing_else,
            a.retrains or b.retrains,
        )

    return find


def repeat_best(top: int, seeds: int) -> ExtraTrialsRequest:
    """Train the best complete trials again, until each has results of that many seeds.

    Raises (the function that is returned):
        InputError: the study has no complete trial.
    """

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> ExtraTrials:
        best = best_trials(store, study, task, top, "repeat")
        repeats = range(1, seeds)
        return ExtraTrials(repeats=lacking_results(store, study, best, repeats, "repeat of trial"))

    return find


def best_trials(
    store: Store, study: StudyRecord, task: Task[Architecture], top: int, purpose: str
) -> list[Trial[Architecture]]:
    """The best complete trials of a study, at most `top`.

    Raises:
        InputError: there is no complete trial to serve the purpose.
    """
    best = ranked_trials(_heard(store.studies.history(study.id), study, task))[:top]
    if not best:
        raise InputError.of("study", f"{study.name!r} has no complete trial to {purpose}")
    return best


def lacking_results(
    store: Store,
    study: StudyRecord,
    best: Sequence[Trial[Architecture]],
    repeats: Iterable[int],
    origin: str,
) -> tuple[Proposal, ...]:
    """What is still to be trained of every repeat of the best; `origin` goes before the number.

    Args:
        store, study: where it is to be trained.
        best: trials, also of another study.
        repeats: that every architecture shall have; 0 is its first trial.
    """
    has = {(trial.architecture_id, trial.repeat) for trial in store.trials.of_study(study.id)}
    return tuple(
        Proposal(trial.point, f"{origin} {trial.number}", repeat)
        for repeat in repeats
        for trial in best
        if (trial.point.id, repeat) not in has
    )


def ranked_trials(
    study: Study[Architecture], state: TrialState = TrialState.COMPLETE
) -> list[Trial[Architecture]]:
    """The first trials of architectures that ended so, the most wanted first.

    In the order of `search.objectives.best_first`, among equals by their numbers.
    """
    task = study.task
    rows = [
        (trial, study.values(trial))
        for trial in study.trials.values()
        if trial.state == state and not trial.repeat
    ]
    rows = [(trial, values) for trial, values in rows if task.evaluated(trial.point, values)]
    if not rows:
        return []
    vectors = [task.vector(trial.point, values) for trial, values in rows]
    violations = [task.violation(trial.point, values) for trial, values in rows]
    return [rows[index][0] for index in best_first(vectors, violations)]


def _heard(
    history: StudyHistory, study: StudyRecord, task: Task[Architecture]
) -> Study[Architecture]:
    return study_of_history(history, networks_of(history), task, judged_by(study.protocol))
