"""The trials of a study in the order in which its goals prefer them."""

from collections.abc import Iterable, Mapping, Sequence

from search.figures import MEASURED
from search.objectives import (
    JudgedBy,
    Values,
    crowding_distances,
    judged_values,
    nondominated_ranks,
)
from search.searchers import Task
from search.store import EpochRecord, StudyHistory, TrialRecord, TrialState
from space import Architecture


def best_first(
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
    task: Task[Architecture],
    rule: JudgedBy,
    states: Iterable[TrialState] = (TrialState.COMPLETE,),
) -> list[TrialRecord]:
    """First trials of architectures, the most wanted first.

    Feasible before infeasible, then front by front; within a front the wide-spread first, then
    in order of their numbers.

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
        if task.judged(architecture, values):
            vector = task.vector(architecture, values)
            rows.append((trial, vector, task.violation(architecture, values)))
    if not rows:
        return []
    vectors = [vector for _, vector, _ in rows]
    ranks = nondominated_ranks(vectors, [violation for *_, violation in rows])
    crowding = crowding_distances(vectors)
    order = sorted(range(len(rows)), key=lambda i: (ranks[i], -crowding[i], i))
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
