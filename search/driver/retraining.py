"""The final training of what a search with inherited weights found: always from scratch."""

from collections.abc import Sequence

from search.config import Config
from search.driver.extra_trials import (
    ExtraTrials,
    ExtraTrialsRequest,
    best_trials,
    lacking_results,
)
from search.driver.study_setup import task_of_study
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS, Task
from search.store import Store, StudyRecord
from search.study import Trial
from search.study_name import RETRAINED, retrained_name
from space import Architecture


def retraining(
    store: Store, config: Config, top: int, seeds: int
) -> tuple[Config, ExtraTrialsRequest]:
    """A study of its own that trains the best of another one from scratch.

    Args:
        store: with the study that inherited.
        config: of that study.
        top: how many architectures, if there are so many; never fewer than are planned already.
        seeds: how often each is trained.

    Raises:
        InputError: the study has no complete trial.
    """
    name = retrained_name(config.study)
    planned = store.studies.get(name).planned_trials if store.studies.exists(name) else 0
    best = _best(store, config, max(top, planned))
    scratch = config.protocol.model_copy(update={"initialisation": "scratch"})
    values = {
        "study": name,
        "protocol": scratch,
        "searcher": SEARCHERS.options("random"),
        "scheduler": SCHEDULERS.options("none"),
        "trials": len(best),
        "initial": (),
        "warm_start": (),
        "random_baseline": 0.0,
    }
    return config.model_copy(update=values), _from_scratch(best, seeds)


def retrained_source(store: Store, study: StudyRecord) -> StudyRecord | None:
    """The study whose best this one retrains; None where it is a study like any other."""
    if not study.name.endswith(RETRAINED) or _inherits(study):
        return None
    names = (s.name for s in store.studies.summaries() if retrained_name(s.name) == study.name)
    return next((source for name in names if _inherits(source := store.studies.get(name))), None)


def rest_of_retraining(
    store: Store, study: StudyRecord, source: Config, top: int
) -> tuple[int, ExtraTrialsRequest]:
    """What is left to do of a study that retrains: how many architectures, and the work.

    Args:
        store: with both studies.
        study: the one that retrains; each architecture gets as many seeds as any has so far.
        source: configuration of the one that inherited.
        top: how many architectures, if there are so many; never fewer than are planned already.

    Raises:
        InputError: the source has no complete trial.
    """
    best = _best(store, source, max(top, study.planned_trials))
    seeds = 1 + max((trial.repeat for trial in store.trials.of_study(study.id)), default=0)
    return len(best), _from_scratch(best, seeds)


def _inherits(study: StudyRecord) -> bool:
    return study.protocol.get("initialisation") == "inherited"


def _best(store: Store, config: Config, top: int) -> list[Trial[Architecture]]:
    study = store.studies.get(config.study)
    return best_trials(store, study, task_of_study(store, study, config), top, "retrain")


def _from_scratch(best: Sequence[Trial[Architecture]], seeds: int) -> ExtraTrialsRequest:
    def find(store: Store, study: StudyRecord, _task: Task[Architecture]) -> ExtraTrials:
        wanted = lacking_results(store, study, best, range(seeds), "retrains trial")
        return ExtraTrials(repeats=wanted, nothing_else=True)

    return find
