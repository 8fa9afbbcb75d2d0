"""The trials of a study in the order in which its goals prefer them."""

from collections.abc import Iterable, Mapping, Sequence

from search.figures import MEASURED
from search.objectives import (
    JudgedBy,
    Values,
    best_first,
    judged_values,
)
from search.searchers import Task
from search.store import EpochRecord, StudyHistory, TrialRecord, TrialState
from space import Architecture


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
        values = judged_values(_figures(history.curves[trial.id]), rule)
        if architecture is None or trial.repeat or trial.state not in wanted:
            continue
        if task.evaluated(architecture, values):
            vector = task.vector(architecture, values)
            rows.append((trial, vector, task.violation(architecture, values)))
    if not rows:
        return []
    order = best_first([vector for _, vector, _ in rows], [off for *_, off in rows])
    return [rows[index][0] for index in order]


def _figures(curve: Sequence[EpochRecord]) -> dict[int, Values]:
    """The measured figures of the epochs of a trial, as far as they are known."""
    found: dict[int, Values] = {}
    for record in curve:
        values = {name: getattr(record, name) for name in MEASURED}
        found[record.epoch] = {name: v for name, v in values.items() if v is not None}
    return found


def networks_of(history: StudyHistory) -> dict[str, Architecture]:
    """Every architecture of a study by its id."""
    return {id_: Architecture.from_json(network.json) for id_, network in history.networks.items()}
