"""Writes a new study down, and rebuilds the state of a search from the store."""

import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from search.config import Config
from search.driver.assignment import TRAINING
from search.driver.checkpoints import Checkpoints
from search.driver.extra_trials import NO_EXTRA_TRIALS, ExtraTrials
from search.driver.journal import Journal, replay
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.latency_plan import LatencyPlan, stored_latencies
from search.driver.lineage import Lineage
from search.driver.new_trials import NewTrials, TrialSeeds
from search.driver.proposals import Proposal, Proposals
from search.driver.provenance import code_version
from search.driver.replay import networks_of, replay_history
from search.driver.session import StudySession
from search.driver.sources import Sources
from search.driver.stop_request import StopRequest
from search.driver.study_progress import Progress
from search.driver.tracking import Tracking
from search.driver.warm_start import events_so_far, warm_points
from search.metrics import analytic_metrics
from search.objectives import Values
from search.schedulers import Scheduler, make_scheduler
from search.searchers import Searcher, Task, make_searcher
from search.store import RunRecord, Store, StudyRecord
from search.study import Study
from search.trial_states import OPEN
from space import Architecture
from space.wording import count
from trainers import Protocol
from trainers.seeds import derive

_LOG = logging.getLogger(__name__)
_INITIAL_STREAM = 1
"""Keeps the random numbers of the initial points apart from the searcher's."""
_BASELINE_STREAM = 2


def create_study(
    store: Store,
    config: Config,
    protocol: Protocol,
    told: Mapping[str, Any] | None = None,
    latency: LatencyPlan | None = None,
) -> StudyRecord:
    """The row of a new study.

    Args:
        told: of the data. latency: what a study that has it goes by.

    Raises:
        InputError: the name was taken in the meantime.
    """
    seeds = TrialSeeds.from_config(config, protocol)
    return store.studies.create(
        config.study,
        config=config.to_stored(),
        space=config.search_space.to_dict(),
        protocol=protocol.to_dict(),
        protocol_hash=protocol.hash,
        objective={
            "objectives": config.objectives,
            "constraints": config.constraints,
            **({"data": dict(told)} if told else {}),
            **({"latency": latency.to_dict()} if latency is not None else {}),
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
        latency_setting=None if latency is None else latency.setting,
    )


def begin_session(
    store: Store,
    study: StudyRecord,
    run: RunRecord,
    config: Config,
    protocol: Protocol,
    extra_trials: ExtraTrials = NO_EXTRA_TRIALS,
    *,
    inspected: Mapping[str, Any] | None = None,
    training: str = TRAINING,
    stop: StopRequest | None = None,
    say: Callable[[str], None] = _LOG.warning,
    answered_since: Callable[[float], bool] = lambda moment: True,
    latency: LatencyConfirmation | None = None,
) -> StudySession:
    """A session that goes on where the earlier runs of the study ended.

    Args:
        extra_trials: what this run was asked for beside the study's own trials.
        inspected: what the driver found in the data, for the workers
            (`trainers.data.image_folder.image_index`).
        training: entry point that makes a Training in the workers.
        stop: asked for where going on makes no sense. say: tells a person what is lost.
        answered_since: whether the store has answered anybody since a moment (`Journal`).
        latency: measures the networks of a study that has a limit or an objective of it.
    """
    checkpoints = settle(store, study, config, say)
    claimed = _claim(store, study, run, extra_trials, say)
    history = store.studies.history(study.id)
    architectures = networks_of(history)
    plan = None if latency is None else latency.plan
    task = task_of(config, plan)
    searcher, baseline = _searchers(config, task)
    journal = Journal(store, run, checkpoints.folder, answered_since)
    tracking = Tracking(journal, study, config.trackers, say)
    searchers, rule = (searcher, baseline), protocol.judged_by
    engine = Study(task, searchers, _scheduler(config), rule, tracking)
    initial = _quick_enough(initial_points(config), task, plan, say)
    beside = {point.architecture.id for point in initial}
    warm = warm_points(store, study, config, searcher, task, beside)
    replay_history(engine, history, architectures)
    inherits = protocol.initialisation == "inherited"
    sources = None if config.finetune_from is None else Sources(store, config.finetune_from)
    lineage = Lineage(checkpoints, inherits=inherits, sources=sources)
    lineage.add_history(history, architectures)
    proposals = Proposals(
        repeats=deque(extra_trials.repeats),
        initial=deque(initial),
        warm=deque(warm),
        searcher=searcher,
        name=config.searcher.name,
        baseline=baseline,
        share=config.random_baseline,
        nothing_else=extra_trials.nothing_else,
    )
    new_trials = NewTrials(
        store=store,
        study=study,
        run=run,
        space=config.search_space,
        proposals=proposals,
        seeds=TrialSeeds.from_config(config, protocol),
        lineage=lineage,
        checkpoints=checkpoints,
        architectures=study.planned_trials,
        takes_over=not extra_trials.nothing_else,
    )
    return StudySession(
        config=config,
        study=engine,
        journal=journal,
        tracking=tracking,
        new_trials=new_trials,
        settings=_worker_settings(config, protocol, inspected, training),
        trials=history.trials,
        claimed=claimed,
        latency=latency,
        stop=StopRequest() if stop is None else stop,
        say=say,
    )


def _worker_settings(
    config: Config, protocol: Protocol, inspected: Mapping[str, Any] | None, training: str
) -> dict[str, Any]:
    """What every worker is told, as plain values."""
    resources = config.resources
    return {
        "protocol": protocol.to_dict(),
        "data": config.data.to_dict(),
        "inspected": inspected,
        "training": training,
        "plugins": list(config.search_space.plugins),
        "device": "cuda" if resources.gpus_per_trial else "cpu",
        "whole_gpu": resources.gpus_per_trial >= 1,
        "threads": max(1, int(resources.cpus_per_trial / resources.processes)),
        "finetune_from": config.finetune_from,
        "processes": resources.processes,
        "compile": resources.compile,
        "grad_checkpointing": resources.grad_checkpointing,
    }


def settle(
    store: Store, study: StudyRecord, config: Config, say: Callable[[str], None]
) -> Checkpoints:
    """Write what earlier runs of a study could not write; its checkpoints, which hold that.

    Call it before anything is read of the study's trials.
    """
    checkpoints = Checkpoints.of(study, store.url, config.checkpoints)
    stored = checkpoints.to_stored(store.url)
    if stored != study.checkpoints:  # so that every later run finds them
        store.studies.set_checkpoints(study.id, stored)
    runs = store.runs.of_study(study.id)
    folders = (checkpoints.folder, *checkpoints.earlier)
    replayed = sum(replay(store, folder, runs) for folder in folders)
    if replayed:
        say(f"Wrote {count(replayed, 'result')} that an earlier run kept while the store was away.")
    return checkpoints


def _claim(
    store: Store,
    study: StudyRecord,
    run: RunRecord,
    extra_trials: ExtraTrials,
    say: Callable[[str], None],
) -> set[int]:
    """Ids of the trials that this run goes on with."""
    for id_ in extra_trials.continued:
        store.trials.reopen(id_, run.id)
    store.trials.claim(study.id, run.id)
    # All that is the run's, also where the store went away in between and this is the second try.
    mine = {trial.id for trial in store.trials.of_study(study.id, OPEN) if trial.run_id == run.id}
    for id_ in sorted({*extra_trials.continued} - mine):
        number = store.trials.get(id_).number
        say(f"Trial {number} is left as it is: another study trains that architecture.")
    return mine


def _searchers(
    config: Config, task: Task[Architecture]
) -> tuple[Searcher[Architecture], Searcher[Architecture]]:
    """The study's own, and the random one that it is compared with."""
    options = config.searcher.model_dump(exclude={"name"})
    own = make_searcher(config.searcher.name, task, config.searcher_seed, options)
    seed = derive(config.searcher_seed, _BASELINE_STREAM)
    return own, make_searcher("random", task, seed)


def task_of(config: Config, latency: LatencyPlan | None = None) -> Task[Architecture]:
    """What a study searches, and for what.

    Args:
        latency: by whose predictions searchers go.
    """
    objectives = config.parsed_objectives
    known = analytic_metrics(objectives.names)
    if latency is not None:
        objectives, known = latency.searched_for(objectives), _both(known, latency.known)
    return Task(config.search_space, objectives, known, config.protocol.epochs)


def task_of_study(store: Store, study: StudyRecord, config: Config) -> Task[Architecture]:
    """The same, to order what came of a study: by latencies that were measured."""
    task = task_of(config)
    if config.latency is None:
        return task
    return replace(task, known=_both(task.known, stored_latencies(store, study)))


_Known = Callable[[Architecture], Values]


def _both(first: _Known, second: _Known) -> _Known:
    return lambda architecture: {**first(architecture), **second(architecture)}


def _quick_enough(
    points: list[Proposal],
    task: Task[Architecture],
    plan: LatencyPlan | None,
    say: Callable[[str], None],
) -> list[Proposal]:
    """The points that are not predicted to be too slow."""
    if plan is None or plan.limit is None:
        return points
    kept = [point for point in points if task.feasible(point.architecture)]
    if len(kept) < len(points):
        say(
            f"Latency: {len(points) - len(kept)} of {count(len(points), 'initial point')} are "
            f"predicted far above {plan.limit:g} ms, and left out."
        )
    return kept


def initial_points(config: Config) -> list[Proposal]:
    """The points to try first, the same in every run of a study."""
    rng = np.random.default_rng([config.searcher_seed, _INITIAL_STREAM])
    points = config.search_space.initial_points(config.initial, rng)
    return [Proposal(architecture, origin) for origin, architecture in points]


def progress_of(store: Store, study_id: int) -> Progress:
    """How far a study is, from the store."""
    summary = store.studies.summary(study_id)
    planned, repeated = summary.all_planned_trials, summary.repeated
    return Progress(summary.counts, planned, summary.best_accuracy, None, repeated)


def _scheduler(config: Config) -> Scheduler:
    options = config.scheduler.model_dump(exclude={"name"})
    return make_scheduler(
        config.scheduler.name, config.parsed_objectives, config.protocol.epochs, options
    )
