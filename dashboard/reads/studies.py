"""Studies: how far they are, and what they want."""

from dashboard.reads.remember import remembered
from dashboard.view import View
from search.query import Aims, Comparison, aims, comparison
from search.store import StudyRecord, StudySummary


def summaries(view: View) -> list[StudySummary]:
    """The studies of the filter, the newest first."""
    found = remembered(view, "summaries", (), view.store.studies.summaries)
    return [study for study in found if view.study in (None, study.name)]


def study(view: View, name: str) -> StudyRecord:
    """How a study was configured."""
    return remembered(view, "study", (name,), lambda: view.store.studies.get(name))


def beside_random(view: View, summary: StudySummary) -> Comparison | None:
    """The searcher of a study against its random points; None where it has none."""
    arguments = (summary.name, summary.ended_trials)
    return remembered(view, "beside", arguments, lambda: comparison(view.store, summary.name))


def aimed(view: View) -> Aims | None:
    """The aims of the study of the filter, or of the only one; None where there are several."""
    name = only_study(view)
    return (
        None if name is None else remembered(view, "aims", (name,), lambda: aims(view.store, name))
    )


def only_study(view: View) -> str | None:
    """The study of the filter, or the only one; None where there are several."""
    names = [each.name for each in summaries(view)]
    return names[0] if len(names) == 1 else None
