"""Says of which accuracies the best epoch was picked by the images that they are measured on."""

from collections.abc import Sequence

from search.query.best import BestRow

OPTIMISTIC = (
    "are those of the best epoch of each training, chosen by the images that they are measured on: "
    "they are optimistic (protocol.judged_by: best)."
)


def optimism(rows: Sequence[BestRow]) -> str | None:
    """A sentence on the rows that are judged by their best epoch; None where there are none."""
    best = [row for row in rows if row.judged_by == "best"]
    if not best:
        return None
    studies = ", ".join(sorted({row.study for row in best}))
    whose = "Accuracies" if len(best) == len(rows) else f"Accuracies of {studies}"
    return f"{whose} {OPTIMISTIC}"
