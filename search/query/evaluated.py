"""The metrics of every completely trained architecture of a study, one rule for all who ask.

They are those that `best` ranks by: the mean over its repeats where an architecture has several,
else those of its best complete trial. What was taken over from another study counts as one result
of its source's seeds; what began with inherited weights is no repeat.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import select

from search.metrics import (
    ANALYTIC_METRICS,
    DEVICE_METRICS,
    MEASURED_METRICS,
    analytic_metrics,
)
from search.objectives import Constraint, Objectives, Values, judged_by, judged_values
from search.query.best_row import BestRow
from search.query.leaderboard import best
from search.query.repeats import repeated_results
from search.query.where import Where, parse_where
from search.store.models import ArchitectureRow, MetricRow, StudyRow, TrialRow
from search.store.records import LatencyRecord, TrialRecord
from search.store.store import Store
from search.trial_states import EVALUATED, TrialState
from space.architecture import Architecture

_LOSS = "validation_loss"
_COMPLETE = parse_where("state = complete")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """A completely trained architecture.

    Attributes:
        architecture_id: its id; operators: its distinct mixer names, joined by " + ".
        values: its metrics by name. A measured one is there when each of the trainings has it:
            of the epoch that the protocol judges by, and over several trainings the mean. The
            latency, in milliseconds, is there where it was measured on the study's device.
        repeats: how many complete trainings the measured metrics stand on.
        protocol_hash: of the protocol by which it was trained.
    """

    architecture_id: str
    operators: str
    values: Values
    repeats: int
    protocol_hash: str


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
    losses = _losses_of_rows(store, study, rows) if _LOSS in wanted else {}
    analytic = _without_training(store, study, wanted, [row.architecture_id for row in rows])
    return [
        Evaluated(
            id_,
            row.operators,
            _values(row.accuracy, losses.get(id_), known),
            row.repeats,
            row.protocol_hash,
        )
        for row, (id_, known) in zip(rows, analytic.items(), strict=True)
    ]


def _values(accuracy: float | None, loss: float | None, analytic: Values) -> Values:
    measured = {"validation_accuracy": accuracy, _LOSS: loss}
    return {name: value for name, value in measured.items() if value is not None} | dict(analytic)


def _complete(where: Where | str | None) -> Where:
    if where is None:
        return _COMPLETE
    return (parse_where(where) if isinstance(where, str) else where).also(_COMPLETE)


def _losses_of_rows(store: Store, study: str, rows: Collection[BestRow]) -> dict[str, float]:
    """The loss of the trainings of every row by architecture, where each of them has one."""
    known = _losses(store, study)
    mine = [TrialRow.study_id == store.studies.get(study).id]
    repeats = repeated_results(store, mine) if any(row.repeats > 1 for row in rows) else {}
    found: dict[str, float] = {}
    for row in rows:
        several = repeats[row.architecture_id, row.protocol_hash] if row.repeats > 1 else ()
        trainings = list(several) or [row.trial_id]
        losses = [known[trial] for trial in trainings if trial in known]
        if len(losses) == len(trainings):
            found[row.architecture_id] = float(np.mean(losses))
    return found


def _losses(store: Store, study: str) -> dict[int, float]:
    """The validation loss that each complete trial of a study is judged by; where it is."""
    found_study = store.studies.get(study)
    query = (
        select(MetricRow.trial_id, MetricRow.epoch, MetricRow.validation_loss)
        .join(TrialRow, TrialRow.id == MetricRow.trial_id)
        .where(TrialRow.study_id == found_study.id, TrialRow.state == TrialState.COMPLETE)
    )
    read: Any = store.read(lambda connection: connection.execute(query).all())
    curves: dict[int, dict[int, Values]] = defaultdict(dict)
    for trial, epoch, loss in read:
        curves[trial][epoch] = {} if loss is None else {_LOSS: loss}
    rule = judged_by(found_study.protocol)
    found = {trial: judged_values(curve, rule) for trial, curve in curves.items()}
    return {trial: values[_LOSS] for trial, values in found.items() if _LOSS in values}


def _without_training(
    store: Store, study: str, names: Collection[str], ids: Sequence[str]
) -> dict[str, Values]:
    """Those of the named metrics that need no training, by architecture of the study."""
    found = _analytic(store, study, names, ids)
    if not set(names) & set(DEVICE_METRICS):
        return found
    latencies = {id_: record.median_ms for id_, record in latency_records(store, study).items()}
    return {
        id_: {**values, **({"latency": latencies[id_]} if id_ in latencies else {})}
        for id_, values in found.items()
    }


def latency_records(store: Store, study: str) -> dict[str, LatencyRecord]:
    """The measurement that counts, by architecture, on the device of a study; {} without one."""
    setting = (store.studies.get(study).objective.get("latency") or {}).get("setting")
    return {} if setting is None else store.latencies.counting(setting)


def _analytic(
    store: Store, study: str, names: Collection[str], ids: Iterable[str]
) -> dict[str, Values]:
    if not set(names) & set(ANALYTIC_METRICS):
        return {id_: {} for id_ in ids}
    known, texts = analytic_metrics(names), architecture_texts(store, study)
    return {id_: known(Architecture.from_json(texts[id_])) for id_ in ids}


def architecture_texts(store: Store, study: str) -> dict[str, str]:
    """The JSON of every architecture of a study, by its id."""
    met = select(TrialRow.architecture_id).join(StudyRow).where(StudyRow.name == study)
    query = select(ArchitectureRow.id, ArchitectureRow.json).where(ArchitectureRow.id.in_(met))
    found: Any = store.read(lambda connection: connection.execute(query).all())
    return {row.id: row.json for row in found}


def networks(store: Store, study: str, ids: Iterable[str]) -> list[Architecture]:
    """Architectures of a study, in the order of their ids.

    Raises:
        InputError: one that this version cannot read.
    """
    texts = architecture_texts(store, study)
    return [Architecture.from_json(texts[id_]) for id_ in ids]


def measured_bounds(objectives: Objectives) -> tuple[Constraint, ...]:
    """The constraints that only a training, or a device, can tell."""
    measured = (*MEASURED_METRICS, *DEVICE_METRICS)
    return tuple(bound for bound in objectives.constraints if bound.name in measured)


def evaluated_trials(
    store: Store, study: str, objectives: Objectives
) -> list[tuple[TrialRecord, Values | None]]:
    """The trials that were evaluated, the complete ones with their metrics.

    A complete trial counts where it has the objectives and keeps the measured bounds. What a
    pruned trial would have come to is not known: it was an evaluation, and has no metrics. Repeats
    do not count.

    Args:
        store: where to look.
        study: its name.
        objectives: those of the study that are asked for, and its constraints.

    Returns:
        Each trial, in order of their numbers, with these objectives and its bounded metrics; None
        of a pruned one.

    Raises:
        InputError: an unknown study.
    """
    measured = Objectives(objectives.objectives, measured_bounds(objectives))
    every = store.trials.of_study(store.studies.get(study).id, EVALUATED)
    trials = [trial for trial in every if trial.repeat == 0]
    losses = _losses(store, study) if _LOSS in measured.names else {}
    ids = [trial.architecture_id for trial in trials]
    analytic = _without_training(store, study, measured.names, ids)
    found: list[tuple[TrialRecord, Values | None]] = []
    for trial in trials:
        values = _values(trial.accuracy, losses.get(trial.id), analytic[trial.architecture_id])
        if trial.state is TrialState.PRUNED:
            found.append((trial, None))
        elif measured.has(values) and measured.keeps(values):
            found.append((trial, values))
    return found
