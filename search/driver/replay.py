"""Calls a new study as an earlier run of it was called, from what the store has."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from search.driver.assignment import EPOCH_METRICS
from search.objectives import JudgedBy
from search.schedulers import NoScheduler
from search.searchers import Searcher, Task
from search.store import EpochRecord, EventKind, EventRecord, StudyHistory, TrialRecord
from search.study import Study
from search.trial_states import TERMINAL, TrialState
from space import Architecture
from space.design.paired_points import PAIRED


def replay_history(
    study: Study[Architecture],
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
) -> Study[Architecture]:
    """Repeat every event of the log, in its order; returns the study.

    Epochs that were forgotten later are left out: the store does not have them any more. What was
    decided while they counted nobody knows, so no decision that falls then stops a trial: it may
    have gone on. A trial that was told to stop then, and whose end was not written yet, goes on.

    Args:
        study: that no trial was added to yet.
        history: of the earlier runs.
        architectures: of all its trials, by id.
    """
    trials = {trial.id: trial for trial in history.trials}
    curves = {
        trial: {record.epoch: record for record in curve} for trial, curve in history.curves.items()
    }
    lost, unsure = _lost(history.events), 0
    with study.written():
        for event in history.events:
            if event.trial_id not in trials:
                continue
            trial = trials[event.trial_id]
            if event.number not in lost:
                sure = event.number >= unsure
                _repeat(study, event, trial, curves[trial.id], architectures, sure=sure)
            elif not trial.repeat:
                unsure = max(unsure, lost[event.number])
    return study


def study_of_history(
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
    task: Task[Architecture],
    rule: JudgedBy,
    searchers: Sequence[Searcher[Architecture]] = (),
) -> Study[Architecture]:
    """A study that nobody judges, as far as its history goes.

    Args:
        history: of it. architectures: of all its trials, by id.
        task: whose metrics and objectives count. rule: which epoch a trial is judged by.
        searchers: hear of it too.
    """
    scheduler = NoScheduler(task.objectives, task.fidelities)
    return replay_history(Study(task, searchers, scheduler, rule), history, architectures)


def networks_of(history: StudyHistory) -> dict[str, Architecture]:
    """Every architecture of a study by its id."""
    return {id_: Architecture.from_json(network.json) for id_, network in history.networks.items()}


def add_record(study: Study[Architecture], record: TrialRecord, point: Architecture) -> None:
    """The trial of a row is in the study from now on."""
    prunable = not record.origin.startswith(PAIRED)  # what is compared in pairs is trained whole
    repeat, attempts = record.repeat, record.attempts
    study.add(point, record.number, prunable=prunable, repeat=repeat, attempts=attempts)


def _repeat(
    study: Study[Architecture],
    event: EventRecord,
    trial: TrialRecord,
    curve: Mapping[int, EpochRecord],
    architectures: Mapping[str, Architecture],
    *,
    sure: bool,
) -> None:
    match event.kind:
        case EventKind.CREATED:
            add_record(study, trial, architectures[trial.architecture_id])
        case EventKind.EPOCH if (record := curve.get(event.epoch or 0)) is not None:
            report_record(study, trial.number, record, binding=sure)
        case EventKind.FORGOTTEN:
            study.forget(trial.number, event.epoch or 0)
        case EventKind.CONTINUED:
            study.reopen(trial.number)
        case _ if event.kind.value in TERMINAL:
            study.tell(trial.number, TrialState(event.kind.value))


def _lost(events: Sequence[EventRecord]) -> dict[int, int]:
    """The epochs that were forgotten later, and when, both by the number of the event."""
    lost: dict[int, int] = {}
    forgotten: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for event in reversed(events):
        epoch, later = event.epoch or 0, forgotten[event.trial_id]
        if event.kind == EventKind.FORGOTTEN:
            later.append((event.number, epoch))
        elif event.kind == EventKind.EPOCH:
            numbers = (number for number, last in reversed(later) if last < epoch)
            if (first := next(numbers, None)) is not None:
                lost[event.number] = first
    return lost


def report_record(
    study: Study[Architecture], number: int, record: EpochRecord, *, binding: bool = True
) -> None:
    """An epoch of a trial, as the store has it; `binding` as `Study.report` has it."""
    metrics = {name: getattr(record, name) for name in EPOCH_METRICS}
    study.report(number, record.epoch, metrics, binding=binding)
