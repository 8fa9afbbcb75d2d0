"""One evaluation: run the objective, judge every fidelity, and say how it ended."""

import time
from collections.abc import Callable

from search.in_process.readings import BadReading, Objective, readings
from search.in_process.result import Evaluation, State
from search.objectives import Goals, Values
from search.schedulers import Verdict
from search.searchers.base import P

Judge = Callable[[int, Values], Verdict]
"""From the fidelity and its figures to whether the evaluation shall stop."""


def evaluate(
    number: int, point: P, objective: Objective, known: Values, fidelities: int, judge: Judge
) -> Evaluation[P]:
    """Evaluate a point, as far as the judge lets it go on.

    An objective that raises, or returns what is no number, makes a failed evaluation that keeps
    its curve and its reason. Only what is no Exception, such as KeyboardInterrupt, gets through.
    """
    started = time.perf_counter()
    curve: dict[int, Values] = {}
    state: State = "complete"
    reason: str | None = None
    figures = readings(objective, point, fidelities)
    try:
        for fidelity, values in figures:
            curve[fidelity] = {**values, **known}
            verdict = judge(fidelity, curve[fidelity])
            if fidelity < fidelities and verdict.stop:
                state, reason = "pruned", verdict.reason
            if fidelity >= fidelities or verdict.stop:
                break
    except BadReading as error:
        state, reason = "failed", str(error)
    except Exception as error:  # noqa: BLE001 - the search goes on; the reason is kept
        state, reason = "failed", f"{type(error).__name__}: {error}"
    finally:
        figures.close()
    values = {} if state == "failed" else curve[max(curve)]
    seconds = time.perf_counter() - started
    return Evaluation(number, point, state, values, curve, reason, seconds)


def by_goals(evaluation: Evaluation[P], goals: Goals) -> Evaluation[P]:
    """The evaluation as the goals see it: failed without an objective, infeasible off a bound."""
    if evaluation.state == "failed":
        return evaluation
    missing = [name for name in goals.names if name not in evaluation.values]
    if missing:
        had = ", ".join(evaluation.values)
        reason = f"the objective did not return {', '.join(missing)}; it returned {had}"
        return _ended(evaluation, "failed", reason, {})
    broken = [
        f"{each.name} is {evaluation.values[each.name]:,.10g}, {each}"
        for each in goals.constraints
        if each.violation(evaluation.values[each.name]) > 0
    ]
    if broken:
        return _ended(evaluation, "infeasible", "; ".join(broken), evaluation.values)
    return evaluation


def _ended(evaluation: Evaluation[P], state: State, reason: str, values: Values) -> Evaluation[P]:
    return Evaluation(
        evaluation.number,
        evaluation.point,
        state,
        values,
        evaluation.curve,
        reason,
        evaluation.seconds,
    )
