"""The trials of a study in the order in which its goals prefer them."""

from collections.abc import Iterable, Mapping, Sequence

from search.objectives import Values, crowding_distances, nondominated_ranks
from search.searchers import Task
from search.store import EpochRecord, StudyHistory, TrialRecord, TrialState
from space import Architecture


def best_first(
    history: StudyHistory,
    architectures: Mapping[str, Architecture],
    task: Task[Architecture],
    states: Iterable[TrialState] = (TrialState.COMPLETE,),
) -> list[TrialRecord]:
    """First trials of architectures, the most wanted first.

    Feasible before infeasible, then front by front; within a front the wide-spread first, then
    in order of their numbers.

    Args:
        history: of the study. architectures: by id; trials of others are left out.
        task: whose goals decide. states: of the trials that count.
    """
    wanted = set(states)
    rows: list[tuple[TrialRecord, tuple[float, ...], float]] = []
    for trial in history.trials:
        architecture = architectures.get(trial.architecture_id)
        values = _measured(history.curves[trial.id])
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


def _measured(curve: Sequence[EpochRecord]) -> Values:
    """The best of every measured figure over the epochs of a trial."""
    accuracies = [r.validation_accuracy for r in curve if r.validation_accuracy is not None]
    losses = [r.validation_loss for r in curve if r.validation_loss is not None]
    found = {"validation_accuracy": max(accuracies)} if accuracies else {}
    return found | ({"validation_loss": min(losses)} if losses else {})


def networks_of(history: StudyHistory) -> dict[str, Architecture]:
    """Every architecture of a study by its id."""
    return {id_: Architecture.from_json(network.json) for id_, network in history.networks.items()}
