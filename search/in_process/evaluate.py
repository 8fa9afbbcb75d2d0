"""One evaluation: run the objective, report every fidelity, and say how it ended."""

import time
from collections.abc import Sequence
from dataclasses import replace

from search.in_process.readings import BadReading, Objective, readings
from search.in_process.result import Evaluation
from search.objectives import Objectives
from search.searchers.searcher import P
from search.study import Study, Trial
from search.trial_states import TrialState


def evaluate(
    study: Study[P], trial: Trial[P], objective: Objective, wanted: Sequence[str]
) -> Evaluation[P]:
    """Evaluate the point of a trial as far as the study lets it go on, and tell the study.

    An objective that raises, or returns what is no number, makes a failed evaluation that keeps
    its curve and its reason. Only what is no Exception, such as KeyboardInterrupt, gets through.

    Args:
        wanted: the figures without which it has failed.
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
    had = trial.values("last")
    missing = [name for name in wanted if name not in had]
    if state != TrialState.FAILED and missing:
        reason = f"the objective did not return {', '.join(missing)}; it returned {', '.join(had)}"
        state = TrialState.FAILED
    study.tell(trial.number, state, reason)
    values = {} if state == TrialState.FAILED else trial.values(study.judged_by)
    return Evaluation(trial.number, trial.point, state, values, trial.curve, reason, seconds)


def _run(study: Study[P], trial: Trial[P], objective: Objective) -> tuple[TrialState, str | None]:
    fidelities = study.task.fidelities
    figures = readings(objective, trial.point, fidelities)
    try:
        for fidelity, values in figures:
            decision = study.report(trial.number, fidelity, values)
            if fidelity >= fidelities:
                break
            if decision.stop:
                return TrialState.PRUNED, decision.reason
    except BadReading as error:
        return TrialState.FAILED, str(error)
    except Exception as error:  # noqa: BLE001 - the search goes on; the reason is kept
        return TrialState.FAILED, f"{type(error).__name__}: {error}"
    finally:
        figures.close()
    return TrialState.COMPLETE, None


def within_bounds(evaluation: Evaluation[P], goals: Objectives) -> Evaluation[P]:
    """The evaluation, infeasible where its figures break a constraint."""
    if evaluation.state == TrialState.FAILED:
        return evaluation
    broken = [
        f"{each.name} is {evaluation.values[each.name]:,.10g}, {each}"
        for each in goals.constraints
        if each.violation(evaluation.values[each.name]) > 0
    ]
    if not broken:
        return evaluation
    return replace(evaluation, state=TrialState.INFEASIBLE, reason="; ".join(broken))
