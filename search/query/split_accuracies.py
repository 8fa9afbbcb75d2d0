"""What is known of networks by search, by full training and by the test, side by side."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import select

from search.objectives import judged_by
from search.query.intervals import wilson_interval
from search.query.repeats import Key, Spread, pooled
from search.query.trained_results import (
    Figures,
    TrainedResult,
    trained_results,
    trained_results_of_study,
)
from search.store.models import ArchitectureRow
from search.store.store import Store
from space.wording import count, percent


@dataclass(frozen=True, slots=True)
class TestFigures:
    """What the test says of a network.

    Attributes:
        accuracy: over its tested trainings; of each its first completed reading.
        low, high: 95 % interval of the mean by the number of images, which are the same for all.
        images: how many. chance: share of their commonest class.
        readings: how often the test was read for them, those that broke off included.
    """

    __test__ = False

    accuracy: Figures
    low: float
    high: float
    images: int
    chance: float | None
    readings: int

    @classmethod
    def of(cls, results: Sequence[TrainedResult]) -> "TestFigures | None":
        """Those of the trainings of one network.

        None where none was tested, or of some it is not known on how many images.
        """
        tested = [result.test for result in results if result.test is not None]
        accuracy = Figures.of(reading.accuracy for reading in tested)
        images = min((reading.images or 0 for reading in tested), default=0)
        if accuracy is None or not images:
            return None
        low, high = wilson_interval(accuracy.mean, images)
        readings = len({each.id for result in results for each in result.readings})
        return cls(accuracy, low, high, images, tested[0].chance, readings)


@dataclass(frozen=True, slots=True)
class SplitAccuracies:
    """A network of a study with complete trainings.

    Attributes:
        operators: its distinct mixer names; params, macs: what it costs.
        search: its validation accuracies in the search that found it; None where the study is the
            search, or the search has no complete one. search_epochs: of those trainings.
        validation: its validation accuracies in the study. epochs: of those trainings.
        validation_chance: share of the commonest class of the validation images.
        test: what the test says; None before it was read.
        test_tie: whether the spread over seeds does not tell its mean on the test from that of the
            first network; None where nothing is known of that spread.
    """

    architecture_id: str
    operators: str
    params: int
    macs: int
    search: Figures | None
    search_epochs: int | None
    validation: Figures
    epochs: int
    test: TestFigures | None
    test_tie: bool | None = None

    @property
    def is_tested(self) -> bool:
        """Whether the test was read for all of its trainings."""
        return self.test is not None and self.test.accuracy.trainings == self.validation.trainings

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class SplitComparison:
    """The networks of a study, and what is to be known of their figures.

    Attributes:
        study: its name. search: that of the search which found them; None where it is the search.
        candidates: how many networks the search, or the study, has trained completely.
        rows: the highest mean validation accuracy first.
        notes: sentences: which figures are optimistic, and why.
    """

    study: str
    search: str | None
    candidates: int
    rows: tuple[SplitAccuracies, ...]
    notes: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compare_splits(store: Store, study: str, ids: Collection[str] | None = None) -> SplitComparison:
    """The completely trained networks of a study, the best by validation first.

    Args:
        store: where to look. study: its name.
        ids: of the networks that are wanted; None is all.

    Raises:
        InputError: an unknown study.
    """
    record = store.studies.get(study)
    results = trained_results_of_study(store, study)
    search = None if record.retrains is None else str(record.retrains["study"])
    if search is not None and not store.studies.exists(search):
        search = None
    searched = _by_network([] if search is None else trained_results_of_study(store, search))
    groups = {
        id_: group
        for id_, group in _by_network(results).items()
        if (ids is None or id_ in ids) and Figures.of(r.validation_accuracy for r in group)
    }
    networks = _networks(store, groups)
    rows = [_row(group, searched.get(id_, []), networks[id_]) for id_, group in groups.items()]
    rows.sort(key=lambda row: (-row.validation.mean, row.params, row.architecture_id))
    rows = _with_ties(rows, _spread_of_tests(groups))
    candidates = len(searched) if search is not None else len(_by_network(results))
    notes = _notes(rows, search, candidates, judged_by(record.protocol))
    return SplitComparison(study, search, candidates, tuple(rows), tuple(notes))


def figures_of_tests(store: Store, study: str | None = None) -> dict[Key, TestFigures]:
    """What the test says of every network for which it was read, by its id and protocol.

    Args:
        store: where to look. study: only trainings of this study; None is all.

    Raises:
        InputError: an unknown study.
    """
    found: dict[Key, TestFigures] = {}
    for id_ in {reading.architecture_id: None for reading in store.test_audit.readings()}:
        groups: dict[Key, list[TrainedResult]] = {}
        for result in trained_results(store, id_, study):
            if study is not None or not result.took_over:  # else the weights count twice
                groups.setdefault((id_, result.protocol_hash), []).append(result)
        figures = {key: TestFigures.of(group) for key, group in groups.items()}
        found |= {key: each for key, each in figures.items() if each is not None}
    return found


def _by_network(results: Sequence[TrainedResult]) -> dict[str, list[TrainedResult]]:
    found: dict[str, list[TrainedResult]] = {}
    for result in results:
        found.setdefault(result.architecture_id, []).append(result)
    return found


def _networks(store: Store, ids: Collection[str]) -> dict[str, tuple[str, int, int]]:
    """Operators, params and MACs by id."""
    row = ArchitectureRow
    query = select(row.id, row.operators, row.params, row.macs).where(row.id.in_(list(ids)))
    rows: Any = store.read(lambda connection: connection.execute(query).all())
    return {each.id: (each.operators, each.params, each.macs) for each in rows}


def _row(
    results: Sequence[TrainedResult],
    searched: Sequence[TrainedResult],
    network: tuple[str, int, int],
) -> SplitAccuracies:
    validation = Figures.of(result.validation_accuracy for result in results)
    assert validation is not None, "only such networks are asked for"
    before = Figures.of(result.validation_accuracy for result in searched)
    return SplitAccuracies(
        results[0].architecture_id,
        *network,
        search=before,
        search_epochs=None if before is None else searched[0].epochs,
        validation=validation,
        epochs=results[0].epochs,
        test=TestFigures.of(results),
    )


def _spread_of_tests(groups: Mapping[str, Sequence[TrainedResult]]) -> Spread | None:
    """The spread over seeds of accuracies on the test, pooled over the networks."""
    tests = ([r.test.accuracy for r in group if r.test is not None] for group in groups.values())
    return pooled([[each for each in group if each is not None] for group in tests])


def _with_ties(rows: list[SplitAccuracies], spread: Spread | None) -> list[SplitAccuracies]:
    """The rows, and which of them the seeds do not tell from the first on the test.

    The networks are tested on the same images, of which no single answers are kept: a paired test,
    which would tell more apart, cannot be made of the means.
    """
    first = next((row.test for row in rows if row.test is not None), None)
    if spread is None or first is None:
        return rows
    found = []
    for row in rows:
        tie = None
        if row.test is not None and row.test is not first:
            difference = first.accuracy.mean - row.test.accuracy.mean
            numbers = first.accuracy.trainings, row.test.accuracy.trainings
            tie = not spread.separates(difference, *numbers)
        found.append(replace(row, test_tie=tie))
    return found


def _notes(
    rows: Sequence[SplitAccuracies], search: str | None, candidates: int, rule: str
) -> list[str]:
    said = []
    if search is not None:
        said.append(
            f"The accuracies of the search {search!r} chose these networks among {candidates:,}: "
            "they are optimistic. The full trainings are none of the search's and have seeds of "
            "their own, but the validation images are those that chose: only the test is unbiased."
        )
    elif candidates > 1:
        said.append(
            f"The best of {count(candidates, 'network')} by validation is a lucky one: it is "
            "optimistic, until `retrain` trains it anew and `test` reads the test split."
        )
    if rule == "best":
        said.append("Validation accuracies are of the best epoch of each training: optimistic.")
    if all(row.validation.trainings == 1 for row in rows):
        said.append("One training each: nothing is known of the spread over seeds.")
    return said + _notes_on_tests([row.test for row in rows if row.test is not None], rows)


def _notes_on_tests(tests: Sequence[TestFigures], rows: Sequence[SplitAccuracies]) -> list[str]:
    if not tests:
        return []
    said = [
        "± is the standard deviation over seeds. The interval of a test accuracy is that of 95 % "
        "for the number of its images (Wilson); the seeds are not in it."
    ]
    chances = {(test.chance, test.images) for test in tests if test.chance is not None}
    said += [
        f"Guessing the commonest class scores {percent(chance)} of the "
        f"{count(images, 'test image')}."
        for chance, images in sorted(chances)
    ]
    if len(tests) > 1:
        said.append(
            "Take the winner by validation: the highest of several test accuracies is optimistic."
        )
    if any(row.test_tie for row in rows):
        said.append("What stands behind = is a tie with the first on the test, at the 5 % level.")
    readings = sum(test.readings for test in tests)
    trainings = sum(test.accuracy.trainings for test in tests)
    if readings > trainings:
        said.append(
            f"The test was read {readings:,} times for {count(trainings, 'training')}; of each the "
            "first completed reading counts."
        )
    return said
