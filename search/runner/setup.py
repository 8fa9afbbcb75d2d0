"""Writes a new study down, and rebuilds the state of a search from the store."""

from collections.abc import Mapping

import numpy as np

from search.config import Config
from search.figures import known_figures
from search.runner.ancestry import Ancestry
from search.runner.checkpoints import Checkpoints
from search.runner.extra import NOTHING_EXTRA, Extra
from search.runner.new_trials import Known, NewTrials
from search.runner.proposals import Proposal, Proposals
from search.runner.ranking import networks_of
from search.runner.session import StudySession
from search.runner.stand import Stand
from search.runner.telling import Telling
from search.runner.trial_seeds import TrialSeeds
from search.runner.version import code_version
from search.runner.warm_start import events_so_far, warm_points
from search.schedulers import Scheduler, make_scheduler
from search.searchers import Task, make_searcher
from search.store import RunRecord, Store, StudyHistory, StudyRecord
from space import Architecture
from trainers import Protocol
from trainers.seeds import derive

_INITIAL_STREAM = 1
"""Keeps the random numbers of the initial points apart from the searcher's."""
_BASELINE_STREAM = 2


def create_study(store: Store, config: Config, protocol: Protocol) -> StudyRecord:
    """The row of a new study.

    Raises:
        InputError: the name was taken in the meantime.
    """
    seeds = TrialSeeds.from_config(config, protocol)
    return store.create_study(
        config.study,
        config=config.to_stored(),
        space=config.search_space.to_dict(),
        protocol=protocol.to_dict(),
        protocol_hash=protocol.hash,
        objective={
            "objectives": config.objectives,
            "constraints": config.constraints,
            "warm_start": events_so_far(store, config.warm_start),
        },
        planned_trials=config.trials,
        searcher=config.searcher.name,
        scheduler=config.scheduler.name,
        seeds={
            "study": config.seed,
            "split": protocol.split_seed,
            "searcher": config.searcher_seed,
            "initialisation": seeds.initialisation,
            "data_order": seeds.data_order,
        },
        code_version=code_version(),
    )


def begin_session(
    store: Store,
    study: StudyRecord,
    run: RunRecord,
    config: Config,
    protocol: Protocol,
    extra: Extra = NOTHING_EXTRA,
) -> StudySession:
    """A session that goes on where the earlier runs of the study ended.

    Args:
        extra: what this run was asked for beside the study's own trials.
    """
    continued = {id_ for id_ in extra.continued if store.continue_trial(id_, run.id)}
    continued |= {trial.id for trial in store.claim_preempted(study.id, run.id)}
    history = store.history(study.id)
    architectures = networks_of(history)
    task = task_of(config)
    searcher = make_searcher(
        config.searcher.name,
        task,
        config.searcher_seed,
        config.searcher.model_dump(exclude={"name"}),
    )
    baseline = make_searcher("random", task, derive(config.searcher_seed, _BASELINE_STREAM))
    initial = initial_points(config)
    beside = {point.architecture.id for point in initial}
    warm = warm_points(store, study, config, searcher, task, beside)
    telling = Telling((searcher, baseline), _scheduler(config), task.known)
    telling.retell(history, architectures)
    checkpoints = Checkpoints.of(study, config.checkpoints)
    inherits = protocol.initialisation == "inherited"
    ancestry = Ancestry(checkpoints, inherits=inherits).add_history(history, architectures)
    proposals = Proposals(
        extra.repeats,
        initial,
        warm,
        searcher,
        config.searcher.name,
        baseline,
        config.random_baseline,
    )
    return StudySession(
        store=store,
        study=study,
        run=run,
        new_trials=NewTrials(
            store=store,
            study=study,
            run=run,
            space=config.search_space,
            proposals=proposals,
            seeds=TrialSeeds.from_config(config, protocol),
            ancestry=ancestry,
            checkpoints=checkpoints,
            planned=study.planned_trials,
        ),
        telling=telling,
        protocol=protocol,
        data=config.data.to_dict(),
        known=known_trials(history, architectures),
        claimed=[trial.number for trial in history.trials if trial.id in continued],
        retries=config.retries,
        checkpoints=checkpoints,
        ancestry=ancestry,
    )


def known_trials(history: StudyHistory, architectures: Mapping[str, Architecture]) -> list[Known]:
    """The trials of a study with the numbers of their epochs."""
    return [
        Known(
            trial,
            architectures[trial.architecture_id],
            frozenset(record.epoch for record in history.curves[trial.id]),
        )
        for trial in history.trials
    ]


def task_of(config: Config) -> Task[Architecture]:
    """What a study searches, and for what."""
    goals = config.goals
    known = known_figures(goals.names)
    return Task(config.search_space, goals, known, config.protocol.epochs)


def initial_points(config: Config) -> list[Proposal]:
    """The points to try first, the same in every run of a study."""
    rng = np.random.default_rng([config.searcher_seed, _INITIAL_STREAM])
    points = config.search_space.initial_points(config.initial, rng)
    return [Proposal(architecture, origin) for origin, architecture in points]


def stand_of(store: Store, study_id: int) -> Stand:
    """How far a study is, from the store."""
    summary = store.summary(study_id)
    planned = summary.planned_trials + summary.repeated
    return Stand(summary.counts, planned, summary.best_accuracy, None, summary.repeated)


def _scheduler(config: Config) -> Scheduler:
    options = config.scheduler.model_dump(exclude={"name"})
    return make_scheduler(config.scheduler.name, config.goals, config.protocol.epochs, options)
