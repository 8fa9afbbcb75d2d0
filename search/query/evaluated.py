"""The metrics of every completely trained architecture of a study, one rule for all who ask.

They are those that `best` ranks by: the mean over its repeats where an architecture has several,
else those of its best complete trial. What was taken over from another study counts as one result
of its source's seeds; what began with inherited weights is no repeat.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from search.metrics import ANALYTIC_METRICS, MEASURED_METRICS, analytic_metrics
from search.objectives import Constraint, JudgedBy, Objectives, Values, judged_by, judged_values
from search.query.leaderboard import BestRow, best
from search.query.repeats import repeated_results
from search.query.where import Where, parse_where
from search.store.models import ArchitectureRow, MetricRow, StudyRow, TrialRow
from search.store.records import TrialRecord
from search.store.store import Store
from search.trial_states import TrialState
from space.architecture import Architecture

_ACCURACY, _LOSS = "validation_accuracy", "validation_loss"
_COMPLETE = parse_where("state = complete")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A completely trained architecture.

    Attributes:
        architecture_id: its id; operators: its distinct mixer names, joined by " + ".
        values: its metrics by name. A measured one is there when each of the trainings has it:
            of the epoch that the protocol judges by, and over several trainings the mean.
        repeats: how many complete trainings the measured metrics stand on.
    """

    architecture_id: str
    operators: str
    values: Values
    repeats: int


def evaluated(
    store: Store, study: str, names: Iterable[str], *, where: Where | str | None = None
) -> list[Evaluated]:
    """Every architecture with a complete trial, the most accurate first.

    Pruned trials do not count: what they would have come to is not known.

    Args:
        store: where to look.
        study: its name.
        names: the metrics that are wanted, of `search.metrics.METRICS`.
        where: only complete trials that fulfil this clause, as in `best`.

    Raises:
        InputError: a malformed where-clause or an unknown study.
    """
    wanted = set(names)
    rows = best(store, where=_complete(where), study=study, top=None)
    sources = [_accuracies(rows)]
    if _LOSS in wanted:
        sources.append(_losses(store, study, rows))
    if wanted & set(ANALYTIC_METRICS):
        ids = [row.architecture_id for row in rows]
        sources.append(analytic_values(store, study, wanted, ids))
    return [_evaluated(row, sources) for row in rows]


def _evaluated(row: BestRow, sources: Iterable[Mapping[str, Values]]) -> Evaluated:
    parts = [source.get(row.architecture_id, {}) for source in sources]
    values = {name: value for part in parts for name, value in part.items()}
    return Evaluated(row.architecture_id, row.operators, values, row.repeats)


def _complete(where: Where | str | None) -> Where:
    if where is None:
        return _COMPLETE
    return (parse_where(where) if isinstance(where, str) else where).also(_COMPLETE)


def _accuracies(rows: Iterable[BestRow]) -> dict[str, Values]:
    return {
        row.architecture_id: {"validation_accuracy": row.accuracy}
        for row in rows
        if row.accuracy is not None
    }


def _losses(store: Store, study: str, rows: Collection[BestRow]) -> dict[str, Values]:
    """The loss of the trainings of every row, where each of them has one."""
    found_study = store.studies.get(study)
    study_id, rule = found_study.id, judged_by(found_study.protocol)
    query = (
        select(MetricRow.trial_id, MetricRow.epoch, MetricRow.validation_loss)
        .join(TrialRow, TrialRow.id == MetricRow.trial_id)
        .where(TrialRow.study_id == study_id, TrialRow.state == TrialState.COMPLETE)
    )
    read: Any = store.read(lambda session: session.execute(query).all())
    known = losses_of(read, rule)
    repeats = repeated_results(store, study_id) if any(row.repeats > 1 for row in rows) else {}
    found: dict[str, Values] = {}
    for row in rows:
        several = repeats[row.architecture_id, row.protocol_hash] if row.repeats > 1 else ()
        trainings = list(several) or [row.trial_id]
        losses = [known[trial] for trial in trainings if trial in known]
        if len(losses) == len(trainings):
            found[row.architecture_id] = {_LOSS: float(np.mean(losses))}
    return found


def measured_bounds(goals: Objectives) -> tuple[Constraint, ...]:
    """The constraints that only a training can tell."""
    return tuple(bound for bound in goals.constraints if bound.name in MEASURED_METRICS)


def losses_of(epochs: Iterable[tuple[int, int, float | None]], rule: JudgedBy) -> dict[int, float]:
    """The validation loss that each trial is judged by, of trial, epoch and loss; where it is."""
    curves: dict[int, dict[int, Values]] = defaultdict(dict)
    for trial, epoch, loss in epochs:
        curves[trial][epoch] = {} if loss is None else {_LOSS: loss}
    found = {trial: judged_values(curve, rule) for trial, curve in curves.items()}
    return {trial: values[_LOSS] for trial, values in found.items() if _LOSS in values}


def analytic_values(
    store: Store, study: str, names: Collection[str], ids: Iterable[str]
) -> dict[str, Values]:
    """Those of the named metrics that need no training, by architecture of the study."""
    met = select(TrialRow.architecture_id).join(StudyRow).where(StudyRow.name == study)
    query = select(ArchitectureRow.id, ArchitectureRow.json).where(ArchitectureRow.id.in_(met))
    found: Any = store.read(lambda session: session.execute(query).all())
    texts = {row.id: row.json for row in found}
    known = analytic_metrics(names)
    return {id_: known(Architecture.from_json(texts[id_])) for id_ in ids}


_ENDED = (TrialState.COMPLETE, TrialState.PRUNED)


def evaluated_trials(
    store: Store, study: str, goals: Objectives
) -> list[tuple[TrialRecord, Values | None]]:
    """The trials that were evaluated, the complete ones with their metrics.

    A complete trial counts where it has the first objective and keeps the measured bounds. What a
    pruned trial would have come to is not known: it was an evaluation, and has no metrics. Repeats
    do not count.

    Returns:
        Each trial, in order of their numbers, with its first objective and its bounded metrics;
        None of a pruned one.

    Raises:
        InputError: an unknown study.
    """
    measured = Objectives(goals.objectives[:1], measured_bounds(goals))
    trials = [
        t for t in store.trials.of_study(store.studies.get(study).id, _ENDED) if t.repeat == 0
    ]
    found = _values_of(store, study, measured.names, trials)
    return [
        (trial, values if trial.state is TrialState.COMPLETE else None)
        for trial, values in zip(trials, found, strict=True)
        if trial.state is TrialState.PRUNED or (measured.has(values) and measured.keeps(values))
    ]


def _values_of(
    store: Store, study: str, names: Collection[str], trials: list[TrialRecord]
) -> list[Values]:
    """What is known of each trial; the store's curves are read only where a loss is wanted."""
    curves = store.epochs.of_trials([trial.id for trial in trials]) if _LOSS in names else {}
    epochs = ((id_, e.epoch, e.validation_loss) for id_, curve in curves.items() for e in curve)
    losses = losses_of(epochs, judged_by(store.studies.get(study).protocol))
    analytic = set(names) & set(ANALYTIC_METRICS)
    ids = {trial.architecture_id for trial in trials} if analytic else ()
    known = analytic_values(store, study, analytic, ids) if analytic else {}
    found: list[Values] = []
    for trial in trials:
        values = dict(known.get(trial.architecture_id, {}))
        if trial.accuracy is not None:
            values[_ACCURACY] = trial.accuracy
        if trial.id in losses:
            values[_LOSS] = losses[trial.id]
        found.append(values)
    return found
