"""Which training of an architecture is handed over, and the file of its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from search.query import TrainedResult, best_within_bounds, trained_results
from search.runner.trained_weights import checkpoint_of
from search.store import Store, StudyRecord, TrialRecord
from space.errors import InputError
from space.surface import surface
from space.wording import some


@dataclass(frozen=True, slots=True)
class Candidate:
    """A complete training whose weights are handed over.

    Attributes:
        result: of the training. study, trial: their rows in the store.
        others: every complete training of its architecture, this one among them.
        weights: the checkpoint.
    """

    result: TrainedResult
    study: StudyRecord
    trial: TrialRecord
    others: tuple[TrainedResult, ...]
    weights: Path


def find_candidate(
    store: Store, url: str, architecture: str | None, study: str | None, trial: int | None
) -> Candidate:
    """The best complete training of an architecture; full trainings come before those of a search.

    Args:
        store: open, and its URL.
        architecture: the beginning of an id; None is the one of the best mean of the study.
        study: only trainings of this study; None is all.
        trial: only the one with this number; it needs no study where a single one has it.

    Raises:
        InputError: there is no such architecture, study or trial, nothing of it is complete, the
            trainings do not compare, or the weights are gone.
    """
    found = (
        _best_of(store, study) if architecture is None else store.architectures.get(architecture).id
    )
    everything = tuple(trained_results(store, found))
    wanted = everything if study is None else tuple(trained_results(store, found, study))
    if trial is not None:
        chosen = _numbered(store, wanted, found, study, trial)
    else:
        chosen = _best(wanted, found, study)
    owner = store.studies.get(chosen.study)
    row = store.trials.get(chosen.trial_id)
    return Candidate(chosen, owner, row, everything, checkpoint_of(store, owner, url, row))


def _best_of(store: Store, study: str | None) -> str:
    """The architecture of the best mean of a study, of what is complete and keeps its bounds.

    Raises:
        InputError: no study is named, it has none, or there is no such study.
    """
    if study is None:
        message = f"name an architecture, or {surface().given('study', 'NAME')} for its best"
        raise InputError.of("architecture", message)
    (row,) = best_within_bounds(store, study, 1, "export")
    return row.architecture_id


def _numbered(
    store: Store, results: Sequence[TrainedResult], found: str, study: str | None, number: int
) -> TrainedResult:
    """The training of a number.

    Raises:
        InputError: none has it, or several studies have one.
    """
    chosen = [result for result in results if result.trial == number]
    if len(chosen) == 1:
        return chosen[0]
    where = surface().field("trial")
    if chosen:
        named = some([result.study for result in chosen])
        message = f"{number} is a trial of {found} in {named}; name one by "
        raise InputError.of(where, message + surface().given("study", "NAME"))
    raise InputError.of(where, _why_none(store, found, study, number))


def _why_none(store: Store, found: str, study: str | None, number: int) -> str:
    """What the trial is that a person may have meant."""
    only = None if study is None else store.studies.get(study).id
    for trial in store.trials.of_architecture(found):
        if trial.number == number and only in (None, trial.study_id):
            why = "" if trial.reason is None else f" ({trial.reason})"
            return f"{number} is {trial.state}{why}; only what is complete is exported"
    place = "" if study is None else f" in {study!r}"
    return f"no complete trial {number} of architecture {found}{place}"


def _best(results: Sequence[TrainedResult], found: str, study: str | None) -> TrainedResult:
    """The most accurate of those that compare; full trainings before those of a search.

    Raises:
        InputError: there is none, or they are of several protocols.
    """
    if not results:
        place = "" if study is None else f" in {study!r}"
        message = f"{found} has no complete trial{place}; only what is complete is exported"
        raise InputError.of("architecture", message)
    full = [result for result in results if result.retrained]
    pool = full or list(results)
    if len({result.protocol_hash for result in pool}) > 1:
        named = some(list(dict.fromkeys(result.study for result in pool)))
        message = f"{found} was trained under protocols that do not compare, in {named}; name one "
        raise InputError.of(surface().field("study"), message + f"by {_given_study()}")
    # Of equals one that trained itself, then the oldest.
    return max(pool, key=lambda r: (_accuracy(r), not r.took_over, -r.trial_id))


def _given_study() -> str:
    return surface().given("study", "NAME")


def _accuracy(result: TrainedResult) -> float:
    known = result.validation_accuracy
    return -1.0 if known is None else known
