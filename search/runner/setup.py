"""Writes a new study down, and rebuilds the state of a search from the store."""

import numpy as np

from search.config import Config
from search.objectives import ACCURACY
from search.runner.history import read_history, retell
from search.runner.session import Stand, StudySession
from search.runner.version import code_version
from search.schedulers import Scheduler, make_scheduler
from search.searchers import Searcher, Task, make_searcher
from search.store import RunRecord, Store, StudyRecord
from space import Architecture
from trainers import Protocol

OBJECTIVE = {"metric": "validation_accuracy", "direction": "maximise", "epoch": "best"}
_INITIAL_STREAM = 1
"""Keeps the random numbers of the initial points apart from the searcher's."""


def create_study(store: Store, config: Config, protocol: Protocol) -> StudyRecord:
    """The row of a new study.

    Raises:
        InputError: the name was taken in the meantime.
    """
    return store.create_study(
        config.study,
        config=config.to_stored(),
        space=config.space.to_dict(),
        protocol=protocol.to_dict(),
        protocol_hash=protocol.hash,
        objective=OBJECTIVE,
        planned_trials=config.trials,
        searcher=config.searcher.name,
        scheduler=config.scheduler.name,
        seeds={"study": config.seed, "split": protocol.split_seed},
        code_version=code_version(),
    )


def begin_session(
    store: Store, study: StudyRecord, run: RunRecord, config: Config, protocol: Protocol
) -> StudySession:
    """A session that goes on where the earlier runs of the study ended."""
    claimed = store.claim_preempted(study.id, run.id)
    known = read_history(store, study.id)
    searcher, scheduler = _searcher(config), _scheduler(config)
    retell(known, searcher, scheduler)
    stamp = f"{study.created:%Y%m%d-%H%M%S}"
    return StudySession(
        store=store,
        study=study,
        run=run,
        space=config.space,
        searcher=searcher,
        searcher_name=config.searcher.name,
        scheduler=scheduler,
        protocol=protocol,
        data=config.data.to_dict(),
        seed=config.seed,
        planned=study.planned_trials,
        known=known,
        claimed=[trial.number for trial in claimed],
        initial=initial_points(config),
        # The time keeps a new study of an old name from finding the old one's files.
        checkpoints=config.checkpoints.absolute() / f"{study.name}-{stamp}",
    )


def initial_points(config: Config) -> list[tuple[str, Architecture]]:
    """The points to try first, the same in every run of a study."""
    rng = np.random.default_rng([config.seed, _INITIAL_STREAM])
    return list(config.space.initial_points(config.initial, rng))


def stand_of(store: Store, study_id: int) -> Stand:
    """How far a study is, from the store."""
    summary = store.summary(study_id)
    return Stand(summary.counts, summary.planned_trials, summary.best_accuracy, None)


def _searcher(config: Config) -> Searcher[Architecture]:
    options = config.searcher.model_dump(exclude={"name"})
    task = Task(config.space, ACCURACY, fidelities=config.protocol.epochs)
    return make_searcher(config.searcher.name, task, config.seed, options)


def _scheduler(config: Config) -> Scheduler:
    options = config.scheduler.model_dump(exclude={"name"})
    return make_scheduler(config.scheduler.name, ACCURACY, config.protocol.epochs, options)
