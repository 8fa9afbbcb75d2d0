"""The table of one network's complete trainings by study: search, full training and test."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from search.cli.split_table import figures_words
from search.query import Figures, TestFigures, TrainedResult
from space.cli.tables import Column, FittedTable
from space.wording import NONE, percent


def print_results(console: Console, results: Sequence[TrainedResult]) -> None:
    """Print a line for each study, and what is to be known of the figures.

    Nothing is printed of a network that was trained completely once, and not tested.
    """
    studies: dict[str, list[TrainedResult]] = {}
    for result in results:
        studies.setdefault(result.study, []).append(result)
    tests = {name: TestFigures.of(group) for name, group in studies.items()}
    if len(results) < 2 and not any(tests.values()):
        return
    groups = list(studies.values())
    figures = [Figures.of(each.validation_accuracy for each in group) for group in groups]
    columns = (
        Column("study", list(studies)),
        Column("trained", ["in full" if group[0].retrained else "searched" for group in groups]),
        Column("epochs", [str(group[0].epochs) for group in groups], right=True, optional=2),
        Column("seeds", [str(len(group)) for group in groups], right=True),
        Column("validation", [figures_words(each) for each in figures], right=True),
        Column("test", [_test(test) for test in tests.values()], right=True),
        Column("95 %", [_interval(test) for test in tests.values()], right=True, optional=1),
        Column("images", [_images(test) for test in tests.values()], right=True, optional=3),
    )
    console.print(FittedTable(columns, "Accuracies by study"))
    for note in _notes(studies, [test for test in tests.values() if test is not None]):
        console.print(Text(note, style="dim"))


def _notes(studies: dict[str, list[TrainedResult]], tests: Sequence[TestFigures]) -> list[str]:
    said = []
    if any(group[0].retrained for group in studies.values()):
        said.append(
            "What was searched was chosen by its validation accuracy, which is optimistic; what "
            "was trained in full has seeds of its own."
        )
    if tests:
        said.append("95 %: interval of the test accuracy for the number of images; ±: over seeds.")
    chances = {(test.chance, test.images) for test in tests if test.chance is not None}
    said += [
        f"Guessing the commonest class scores {percent(chance)} of the {images:,} test images."
        for chance, images in sorted(chances)
    ]
    readings = sum(test.readings for test in tests)
    trainings = sum(test.accuracy.trainings for test in tests)
    if readings > trainings:
        said.append(f"The test was read {readings:,} times for {trainings:,} of the trainings.")
    return said


def _test(test: TestFigures | None) -> str:
    return NONE if test is None else figures_words(test.accuracy)


def _interval(test: TestFigures | None) -> str:
    return NONE if test is None else f"{100 * test.low:.2f}–{100 * test.high:.2f}"


def _images(test: TestFigures | None) -> str:
    return NONE if test is None else f"{test.images:,}"
