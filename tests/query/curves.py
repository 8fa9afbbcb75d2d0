"""Studies whose curves follow a merit of each architecture, to be held to what was put in."""

import numpy as np

from search.store import ParentRecord, Store, StudyRecord, TrialRecord
from tests.support.samples import add_study, add_trial, begin_run, epoch

EPOCHS = 4
DATA = {"train_images": 5000, "validation_images": 1000, "chance": 0.1, "remarks": []}


def study_of(store: Store, name: str, epochs: int = EPOCHS, **changes: object) -> StudyRecord:
    """A study whose protocol is known by the number of its epochs."""
    values = {
        "protocol": {"epochs": epochs, "judged_by": "last"},
        "protocol_hash": f"{epochs:016x}",
        "space": {"input": {"channels": 1, "height": 28, "width": 28}},
        "objective": {"metric": "accuracy", "direction": "maximise", "data": DATA},
    }
    return add_study(store, name, **values | changes)


def merit(number: int) -> float:
    """Of an architecture, in points of accuracy."""
    return float(np.random.default_rng(number).normal())


def curve(number: int, epochs: int, luck: int = 0, *, by_size: bool = False) -> list[float]:
    """The accuracies of a training: later epochs have less luck in them.

    By size the merit of an architecture rises with its number, as its parameters do.
    """
    rng = np.random.default_rng((number, luck, 7))
    worth = number / 3 - 5 if by_size else merit(number)
    return [
        round(0.7 + 0.05 * worth - 0.2 / each + 0.03 / each * rng.normal(), 6)
        for each in range(1, epochs + 1)
    ]


def train(
    store: Store,
    study: StudyRecord,
    number: int,
    *,
    epochs: int = EPOCHS,
    pruned: bool = False,
    repeat: int = 0,
    parent: int | None = None,
    by_size: bool = False,
) -> TrialRecord:
    """A trial of so many epochs, complete or pruned."""
    run = next(iter(store.runs.of_study(study.id)), None) or begin_run(store, study.id)
    changes = {} if parent is None else {"parent": ParentRecord(parent, "along")}
    trial = add_trial(store, study.id, run.id, number, repeat=repeat, **changes)
    store.trials.start(trial.id, run.id)
    accuracies = curve(number, epochs, repeat + 10 * study.id, by_size=by_size)
    for place, accuracy in enumerate(accuracies, 1):
        record = epoch(place, accuracy, train_loss=1 - accuracy, seconds=1.0 + number % 5)
        store.epochs.record(trial.id, record)
    store.trials.finish(trial.id, "pruned" if pruned else "complete", "rung" if pruned else None)
    return store.trials.get(trial.id)
