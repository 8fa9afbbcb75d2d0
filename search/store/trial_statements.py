"""The statements that every trial runs, put together once.

SQLAlchemy takes longer to put a statement together than SQLite to run it. They are made of tables
rather than of mapped classes, which spares the mapper's work.
"""

from sqlalchemy import Integer, and_, bindparam, case, exists, insert, or_, select, update
from sqlalchemy import func as sql

from search.store.models import RunRow, TrialRow, UtcDateTime
from search.store.statements import TRIAL_COLUMNS, TRIALS, table_of
from search.trial_states import TERMINAL, TrialState

_TRIALS, _RUNS = table_of(TrialRow), table_of(RunRow)
_NEXT = (
    select(sql.coalesce(sql.max(_TRIALS.c.number), -1) + 1)
    .where(_TRIALS.c.study_id == bindparam("study"))
    .scalar_subquery()
)
ADD = (
    insert(_TRIALS)
    .values(
        number=_NEXT,
        state=TrialState.WAITING.value,
        attempts=0,
        epochs_done=0,
        seconds=0.0,
    )
    .returning(*TRIAL_COLUMNS)
)
SAME = TRIALS.where(
    *(_TRIALS.c[name] == bindparam(name) for name in ("study_id", "architecture_id", "repeat"))
)
UNENDED = and_(*(_TRIALS.c.state != state for state in sorted(TERMINAL)))
"""NOT IN would be written out anew at each use."""
_OPEN = (_TRIALS.c.id == bindparam("trial"), UNENDED)
_MINE = _TRIALS.c.run_id == bindparam("run")
_RUN_IS_OVER = exists(
    select(_RUNS.c.id).where(_RUNS.c.id == bindparam("run"), _RUNS.c.ended.is_not(None))
)
# A run that was ended meanwhile counts its attempt, and its trial stays as the end left it.
START = (
    update(_TRIALS)
    .where(*_OPEN, _MINE)
    .values(
        state=case((_RUN_IS_OVER, _TRIALS.c.state), else_=TrialState.RUNNING.value),
        reason=case((_RUN_IS_OVER, _TRIALS.c.reason), else_=None),
        attempts=sql.coalesce(bindparam("attempt", type_=Integer), _TRIALS.c.attempts + 1),
        started=sql.coalesce(_TRIALS.c.started, bindparam("now", type_=UtcDateTime)),
    )
    .returning(_TRIALS.c.id)
)
MOVE = (
    update(_TRIALS)
    .where(
        *_OPEN,
        or_(bindparam("run", type_=Integer).is_(None), _MINE),
        _TRIALS.c.state != bindparam("to"),
    )
    .values(state=bindparam("to"), reason=bindparam("why"), ended=bindparam("when"))
    .returning(_TRIALS.c.id)
)
