"""A study's whole history in one read, however long it is: a constant number of queries."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from search.store.connection import Connected, reads
from search.store.epochs import read_curves
from search.store.events import read_events
from search.store.mapping import TRIAL_COLUMNS, trial_record
from search.store.models import Architecture, Trial
from search.store.records import Network, StudyHistory


class Histories(Connected):
    """The part of the store that hands out whole studies."""

    @reads
    def history(self, session: Session, study_id: int) -> StudyHistory:
        """All that is needed to tell a study again to a new searcher and a new scheduler.

        Read in one transaction of four queries; some seconds and some 100 MB for 100,000 epochs.
        """
        query = select(*TRIAL_COLUMNS).where(Trial.study_id == study_id).order_by(Trial.number)
        trials = [trial_record(row) for row in session.execute(query)]
        curves = read_curves(session, study_id)
        return StudyHistory(
            trials,
            {trial.id: curves.get(trial.id, []) for trial in trials},
            _networks(session, study_id),
            read_events(session, study_id),
        )


def _networks(session: Session, study_id: int) -> dict[str, Network]:
    columns = (Architecture.id, Architecture.json, Architecture.params, Architecture.macs)
    met = select(Trial.architecture_id).where(Trial.study_id == study_id)
    rows = session.execute(select(*columns).where(Architecture.id.in_(met)))
    return {row.id: Network(row.json, row.params, row.macs) for row in rows}
