"""What became of the trials of each operator alone, also of those without a result."""

from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import func, select

from search.store.models import Architecture, Study, Trial
from search.store.stale_runs import effective
from search.store.store import Store
from search.trial_states import TrialState

Fates = Mapping[TrialState, int]
"""How many trials are in each state."""


def tried_alone(store: Store, study: str) -> dict[str, Fates]:
    """The trials of a study by what their networks are made of, in the words of `BestRow`.

    An operator alone goes by its name, several by their names joined.
    """
    seen = (
        select(Architecture.operators, effective(Trial.state, store.runs.stale()).label("state"))
        .select_from(Trial)
        .join(Architecture, Architecture.id == Trial.architecture_id)
        .join(Study, Study.id == Trial.study_id)
        .where(Study.name == study)
        .subquery()
    )
    each = (seen.c.operators, seen.c.state)
    query = select(*each, func.count()).group_by(*each)
    found: dict[str, dict[TrialState, int]] = defaultdict(dict)
    for operators, state, trials in store.read(lambda session: session.execute(query).all()):
        found[operators][TrialState(state)] = trials
    return dict(found)


def fate_words(fates: Fates | None) -> str:
    """What became of trials without an accuracy that compares, such as "2 failed, 1 running"."""
    if not fates:
        return "not tried alone"
    words = {state: _word(state) for state in TrialState if state in fates}
    if sum(fates.values()) == 1:
        return next(iter(words.values()))
    return ", ".join(f"{fates[state]:,} {word}" for state, word in words.items())


def _word(state: TrialState) -> str:
    return f"{state} without accuracy" if state is TrialState.COMPLETE else str(state)
