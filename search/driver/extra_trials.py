"""What a run is asked for beside the trials that the study plans: continued ones, and repeats."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from search.driver.proposals import Proposal
from search.metrics import MEASURED_METRICS
from search.objectives import (
    JudgedBy,
    Values,
    best_first,
    judged_by,
    judged_values,
)
from search.searchers import Task
from search.store import EpochRecord, Store, StudyHistory, StudyRecord, TrialRecord, TrialState
from search.trial_states import CONTINUABLE
from space import Architecture
from space.errors import InputError, Problem


@dataclass(frozen=True, slots=True)
class ExtraTrials:
    """Work on a study beside its plan, which counts the first trials of architectures only.

    Attributes:
        continued: ids of trials that ended short of their last epoch and shall go on.
        repeats: architectures to train again, from scratch and with other seeds.
        nothing_else: whether the study trains nothing beside: no random point, no searcher's.
    """

    continued: tuple[int, ...] = ()
    repeats: tuple[Proposal, ...] = ()
    nothing_else: bool = False

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
            rule = judged_by(study.protocol)
            order = ranked_trials(history, networks_of(history), task, rule, [TrialState.PRUNED])
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
        return ExtraTrials(
            a.continued + b.continued, a.repeats + b.repeats, a.nothing_else or b.nothing_else
        )

    return find


def repeat_best(top: int, seeds: int) -> ExtraTrialsRequest:
    """Train the best complete trials again, until each has results of that many seeds.

    Raises (the function that is returned):
        InputError: the study has no complete trial.
    """

    def find(store: Store, study: StudyRecord, task: Task[Architecture]) -> ExtraTrials:
        history = store.studies.history(study.id)
        networks = networks_of(history)
        best = ranked_trials(history, networks, task, judged_by(study.protocol))[:top]
        if not best:
            raise InputError.of("study", f"{study.name!r} has no complete trial to repeat")
        has = {(trial.architecture_id, trial.repeat) for trial in history.trials}
        return ExtraTrials(
            repeats=tuple(
                Proposal(networks[trial.architecture_id], f"repeat of trial {trial.number}", repeat)
                for repeat in range(1, seeds)
                for trial in best
                if (trial.architecture_id, repeat) not in has
            )
        )

    return find


def ranked_trials(
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
    task: Task[Architecture],
    rule: JudgedBy,
    states: Iterable[TrialState] = (TrialState.COMPLETE,),
) -> list[TrialRecord]:
    """First trials of architectures, the most wanted first.

    In the order of `search.objectives.best_first`, among equals by their numbers.

    Args:
        history: of the study. architectures: by id; trials of others are left out.
        task: whose goals decide. rule: which epoch a trial of the study is judged by.
        states: of the trials that count.
    """
    wanted = set(states)
    rows: list[tuple[TrialRecord, tuple[float, ...], float]] = []
    for trial in history.trials:
        architecture = architectures.get(trial.architecture_id)
        values = judged_values(_measured(history.curves[trial.id]), rule)
        if architecture is None or trial.repeat or trial.state not in wanted:
            continue
        if task.evaluated(architecture, values):
            vector = task.vector(architecture, values)
            rows.append((trial, vector, task.violation(architecture, values)))
    if not rows:
        return []
    order = best_first([vector for _, vector, _ in rows], [off for *_, off in rows])
    return [rows[index][0] for index in order]


def _measured(curve: Sequence[EpochRecord]) -> dict[int, Values]:
    """The measured metrics of the epochs of a trial, as far as they are known."""
    found: dict[int, Values] = {}
    for record in curve:
        values = {name: getattr(record, name) for name in MEASURED_METRICS}
        found[record.epoch] = {name: v for name, v in values.items() if v is not None}
    return found


def networks_of(history: StudyHistory) -> dict[str, Architecture]:
    """Every architecture of a study by its id."""
    return {id_: Architecture.from_json(network.json) for id_, network in history.networks.items()}
