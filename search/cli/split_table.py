"""The table of networks by search, full training and test, which several commands print."""

from collections.abc import Sequence

from search.query import Figures, SplitAccuracies, SplitComparison, TestFigures
from space.cli.tables import Column, FittedTable
from space.wording import NONE, percent, short


def split_table(found: SplitComparison, places: Sequence[str] | None = None) -> FittedTable:
    """A line for each network.

    Args:
        found: what is known of them.
        places: of the rows by validation, as `ranks` gives them.
    """
    rows = found.rows
    search = [] if found.search is None else _of_search(rows)
    tests = [] if all(row.test is None for row in rows) else _of_test(rows)
    longest = max((len(name) for row in rows for name in row.operators.split(" + ")), default=1)
    given = [str(number) for number, _ in enumerate(rows, 1)] if places is None else list(places)
    return FittedTable(
        (
            Column("#", given, right=True),
            Column("architecture", [row.architecture_id for row in rows]),
            *search,
            Column("validation", [figures_words(row.validation) for row in rows], right=True),
            *tests,
            Column("seeds", [str(row.validation.trainings) for row in rows], right=True),
            Column("epochs", [str(row.epochs) for row in rows], right=True, optional=3),
            Column("params", [short(row.params) for row in rows], right=True, optional=2),
            Column("token mixers", [row.operators for row in rows], fold_to=longest),
        ),
        _title(found),
    )


def _title(found: SplitComparison) -> str:
    tested = any(row.test is not None for row in found.rows)
    parts = [f"search ({found.search})"] if found.search is not None else []
    parts += ["validation", *(["test"] if tested else [])]
    return f"{found.study}, by {', '.join(parts)}: accuracies"


def _of_search(rows: Sequence[SplitAccuracies]) -> list[Column]:
    return [Column("search", [figures_words(row.search) for row in rows], right=True)]


def _of_test(rows: Sequence[SplitAccuracies]) -> list[Column]:
    images = [NONE if row.test is None else f"{row.test.images:,}" for row in rows]
    return [
        Column("test", [_test(row) for row in rows], right=True),
        Column("95 %", [_interval(row.test) for row in rows], right=True, optional=5),
        Column("images", images, right=True, optional=4),
    ]


def _test(row: SplitAccuracies) -> str:
    """The accuracy, and of how many trainings, where not all were tested."""
    if row.test is None:
        return NONE
    tested, trained = row.test.accuracy.trainings, row.validation.trainings
    part = "" if tested == trained else f" ({tested} of {trained})"
    return f"{'=' if row.test_tie else ''}{figures_words(row.test.accuracy)}{part}"


def _interval(test: TestFigures | None) -> str:
    return NONE if test is None else f"{100 * test.low:.2f}–{100 * test.high:.2f}"


def figures_words(figures: Figures | None) -> str:
    """A mean with its standard deviation, both in percent."""
    if figures is None:
        return NONE
    spread = "" if figures.deviation is None else f" ±{100 * figures.deviation:.2f}"
    return f"{percent(figures.mean)}{spread}"
