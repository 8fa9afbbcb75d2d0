"""What figures of a study say of themselves: what they stand on, and why there is none."""

from search.objectives import judged_by
from search.query import state_counts
from search.store import Store, StudyRecord
from search.visualization.theme import METRIC_NAMES
from space.design import canonical_metric
from space.errors import MixspaceError
from space.wording import count


class NothingToDraw(MixspaceError):
    """A study has too few results for a figure; the message says how many there are."""


def metric_called(name: str | None) -> str | None:
    """A metric by its own name, where it is written as tables and clauses have it."""
    if name is None:
        return None
    shown = {words.lower(): metric for metric, words in METRIC_NAMES.items()}
    return shown.get(name.lower(), canonical_metric(name))


def named(record: StudyRecord) -> str:
    """The study by its name."""
    return f"study {record.name}"


def judged(record: StudyRecord) -> str:
    """Whose accuracies they are: of the images that the search may see, of which epoch."""
    if judged_by(record.protocol) == "best":
        return "best epoch of each training, which is optimistic"
    return "last epoch of each training"


def stands_on(record: StudyRecord, total: int, more: str) -> str:
    """The study, how many architectures, what more there is, and whose accuracies they are."""
    trained = count(total, "completely trained architecture")
    return f"{named(record)} · {trained}{more} · {judged(record)}"


def nothing_to_draw(store: Store, study: str, where: str | None) -> NothingToDraw:
    """What there is in place of complete trials."""
    counts = state_counts(store, study=study, where=where)
    found = ", ".join(f"{number:,} {state}" for state, number in counts.items() if number)
    matching = " that fulfil the clause" if where else ""
    return NothingToDraw(
        f"study {study!r} has nothing to draw yet; its trials{matching}: {found or 'none'}"
    )
