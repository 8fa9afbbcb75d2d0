"""One evaluation: calls the objective, checks its metrics, reports them, and says how it ended."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from search.local_executor.result import Evaluation
from search.numeric import as_number
from search.objectives import Objectives, Values
from search.searchers.searcher import P
from search.study import Study, Trial
from search.trial_states import TrialState

DEFAULT = "objective"
"""Name of the metric of an objective that returns a plain number."""

Objective = Callable[[Any], Any]


class BadObjectiveValue(ValueError):
    """An objective returned what cannot be judged; the message says what."""


def objective_values(
    objective: Objective, point: Any, fidelities: int
) -> Generator[tuple[int, Values], None, None]:
    """Fidelities with their metrics: from 1 of a generator, only the last of what returns.

    Raises:
        BadObjectiveValue: for what is neither a finite number nor a dictionary of such by name.
    """
    returned = objective(point)
    if not isinstance(returned, Iterator):
        yield fidelities, objective_value(returned)
        return
    fidelity = 0
    try:
        for fidelity, value in enumerate(returned, 1):
            yield fidelity, objective_value(value)
    finally:
        close = getattr(returned, "close", None)
        if close is not None:
            close()  # a stopped evaluation may hold a GPU or a file
    if not fidelity:
        raise BadObjectiveValue("the objective yielded nothing")


def objective_value(returned: Any) -> Values:
    """One result: a number, or a dictionary of numbers by name.

    Raises:
        BadObjectiveValue: for anything else, and for what is not finite.
    """
    if isinstance(returned, Mapping):
        if not returned:
            raise BadObjectiveValue("the objective returned an empty dictionary")
        return {str(name): _number(value, f"{name} = ") for name, value in returned.items()}
    return {DEFAULT: _number(returned, "")}


def _number(value: Any, name: str) -> float:
    if value is None:
        raise BadObjectiveValue("the objective returned nothing (None); it must return a number")
    number = _real(value)
    if number is None:
        kind = type(value).__name__
        raise BadObjectiveValue(
            f"the objective returned {name}{value!r} ({kind}), which is not a number"
        )
    if not math.isfinite(number):
        raise BadObjectiveValue(f"the objective returned {name}{number}, which is not finite")
    return number


def _real(value: Any) -> float | None:
    """Numbers, and arrays and tensors that hold a single one; not text, not truth values."""
    number = as_number(value)
    if number is not None or isinstance(value, bool):
        return number
    item = getattr(value, "item", None)
    if not callable(item):
        return None
    try:
        inner = item()
    except (ValueError, RuntimeError, TypeError):
        return None
    return None if inner is value else _real(inner)


def evaluate(
    study: Study[P], trial: Trial[P], objective: Objective, wanted: Sequence[str]
) -> Evaluation[P]:
    """Evaluate the point of a trial as far as the study lets it go on, and tell the study.

    An objective that raises, or returns what is no number, makes a failed evaluation that keeps
    its curve and its reason. Only what is no Exception, such as KeyboardInterrupt, gets through.

    Args:
        wanted: the metrics without which it has failed.
    """
    started = time.perf_counter()
    state, reason = _run(study, trial, objective)
    return ended(study, trial, state, reason, time.perf_counter() - started, wanted)


def ended(
    study: Study[P],
    trial: Trial[P],
    state: TrialState,
    reason: str | None,
    seconds: float,
    wanted: Sequence[str],
) -> Evaluation[P]:
    """Tell the study how a trial ended; what came of it."""
    missing = trial.lacks(wanted, study.judged_by)
    if state != TrialState.FAILED and missing:
        had = trial.curve[max(trial.curve)]
        reason = f"the objective did not return {', '.join(missing)}; it returned {', '.join(had)}"
        state = TrialState.FAILED
    study.tell(trial.number, state, reason)
    values = {} if state == TrialState.FAILED else study.values(trial)
    return Evaluation(trial.number, trial.point, state, values, trial.curve, reason, seconds)


def _run(study: Study[P], trial: Trial[P], objective: Objective) -> tuple[TrialState, str | None]:
    fidelities = study.task.fidelities
    reported = objective_values(objective, trial.point, fidelities)
    try:
        for fidelity, values in reported:
            decision = study.report(trial.number, fidelity, values)
            if fidelity >= fidelities:
                break
            if decision.stop:
                return TrialState.PRUNED, decision.reason
    except BadObjectiveValue as error:
        return TrialState.FAILED, str(error)
    except Exception as error:  # noqa: BLE001 - the search goes on; the reason is kept
        return TrialState.FAILED, f"{type(error).__name__}: {error}"
    finally:
        reported.close()
    return TrialState.COMPLETE, None


def within_bounds(evaluation: Evaluation[P], objectives: Objectives) -> Evaluation[P]:
    """The evaluation, infeasible where its metrics break a constraint."""
    if evaluation.state == TrialState.FAILED:
        return evaluation
    broken = [
        f"{each.name} is {evaluation.values[each.name]:,.10g}, {each}"
        for each in objectives.constraints
        if each.violation(evaluation.values[each.name]) > 0
    ]
    if not broken:
        return evaluation
    return replace(evaluation, state=TrialState.INFEASIBLE, reason="; ".join(broken))
