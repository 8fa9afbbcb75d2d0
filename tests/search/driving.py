"""Plays a driver and its workers, without Ray."""

import random
from dataclasses import replace
from typing import Any

from search.config import Config
from search.driver.assignment import Assignment, Report
from search.driver.extra_trials import NO_EXTRA_TRIALS, ExtraTrials
from search.driver.session import StudySession
from search.driver.study_setup import begin_session, create_study
from search.store import ProcessIdentity, RunRecord, Store
from trainers import Protocol

HASHES = ("0" * 16, "1" * 16)


def begin_run(store: Store, study_id: int, pid: int | None = None) -> RunRecord:
    me = ProcessIdentity.of()
    return store.runs.begin(
        study_id,
        process=replace(me, pid=pid or me.pid),
        machine={},
        code_version="0",
    )


def begin(
    store: Store,
    settings: Config,
    protocol: Protocol | None = None,
    extra: ExtraTrials = NO_EXTRA_TRIALS,
    **options: Any,
) -> StudySession:
    protocol = protocol or settings.protocol.bound_to(*HASHES)
    if store.studies.exists(settings.study):
        study = store.studies.get(settings.study)
    else:
        study = create_study(store, settings, protocol)
    run = begin_run(store, study.id)
    return begin_session(store, study, run, settings, protocol, extra, **options)


def epoch(number: int, accuracy: float = 0.5) -> dict[str, Any]:
    return {
        "epoch": number,
        "train_loss": 1.0,
        "validation_loss": 1.0,
        "validation_accuracy": accuracy,
        "learning_rate": 0.1,
        "seconds": 2.0,
        "images_per_second": 100.0,
    }


def train(session: StudySession, assignment: Assignment, accuracies: list[float]) -> None:
    """Play a worker that reports these epochs and stops when told to."""
    number = assignment.trial.number
    session.started(number)
    for index, accuracy in enumerate(accuracies, 1):
        done = index == len(accuracies)
        report = Report((epoch(index, accuracy),), done)
        if session.reported(number, report).stop and not done:
            report = Report((epoch(index, accuracy),))
            break
    session.ended(number, report)


def run_all(session: StudySession) -> None:
    while (assignment := session.next_assignment()) is not None:
        train(session, assignment, [0.4, 0.5])


def accuracy(architecture_id: str, epoch_number: int) -> float:
    """A made-up learning curve of its own for every architecture."""
    return random.Random(architecture_id).random() * epoch_number / 9


def play(session: StudySession, epochs: int) -> None:
    while (assignment := session.next_assignment()) is not None:
        id_ = assignment.architecture.id
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text(f"weights of {id_}")
        train(session, assignment, [accuracy(id_, e) for e in range(1, epochs + 1)])


def end(store: Store, session: StudySession) -> None:
    store.runs.end(store.runs.of_study(session.record.id)[-1].id, "the run ended")
