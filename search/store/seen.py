"""Trials as readers see them: those that a run left open whose process is gone are preempted.

Only the driver that takes a study over writes this down. Until then whoever shows states, counts
them or filters by them does it through here.
"""

from typing import Any

from sqlalchemy import case, literal
from sqlalchemy.sql.visitors import replacement_traverse

from search.store.columns import SafeText
from search.store.insert import table_of
from search.store.liveness import Gone
from search.store.models import Trial
from search.trial_states import OPEN, TrialState

_TRIALS = table_of(Trial)
_PREEMPTED = literal(TrialState.PREEMPTED.value, SafeText())


def as_seen(expression: Any, gone: Gone) -> Any:
    """A column of trials, or a condition on them, with states and reasons as readers see them.

    Args:
        expression: such as `Trial.state`, or a where-clause.
        gone: as `Store.gone_runs` gives it.
    """
    if not gone:
        return expression
    left = left_open(gone)
    why = case(dict(gone), value=_TRIALS.c.run_id)
    seen = {
        "state": case((left, _PREEMPTED), else_=_TRIALS.c.state),
        "reason": case((left, why), else_=_TRIALS.c.reason),
    }

    def instead(element: Any, **_: Any) -> Any:
        is_of_trials = getattr(element, "table", None) is _TRIALS
        return seen.get(element.key) if is_of_trials else None

    return replacement_traverse(expression.expression, {}, instead)


def left_open(gone: Gone) -> Any:
    """The condition of the trials that these runs left open."""
    return _TRIALS.c.run_id.in_(gone) & _TRIALS.c.state.in_(OPEN)
