"""Where the weights of a trial lie."""

from pathlib import Path

from search.driver.checkpoints import Checkpoints
from search.store import Store, StudyRecord, TrialRecord
from space.errors import InputError
from space.surface import surface


def checkpoint_of(store: Store, study: StudyRecord, url: str, trial: TrialRecord) -> Path:
    """The file of a trial, or of the one whose result it took over.

    Args:
        store: open, and its URL.
        study: of the trial.

    Raises:
        InputError: where="checkpoint"; it is gone.
    """
    places = Checkpoints.of(study, url)
    found = places.find(trial)
    if found is None and trial.source_trial_id is not None:
        source = store.trials.get(trial.source_trial_id)
        found = Checkpoints.of(store.studies.by_id(source.study_id), url).find(source)
    if found is None:
        raise InputError.of(
            "checkpoint",
            f"the weights of trial {trial.number} ({trial.architecture_id}) are gone: there is no "
            f"{places.file(trial)}; {surface().request('repeat', study.name, {})} trains the "
            "best again, or put the folder back",
        )
    return found
