"""The final training of what a search with inherited weights found: always from scratch."""

from search.config import Config, NoSchedulerConfig, RandomConfig
from search.runner.extra import Asked, Extra
from search.runner.proposals import Proposal
from search.runner.ranking import best_first, networks_of
from search.runner.setup import task_of
from search.searchers import Task
from search.store import Store, StudyRecord
from search.study_name import retrained_name
from space import Architecture
from space.errors import InputError


def retraining(store: Store, config: Config, top: int, seeds: int) -> tuple[Config, Asked]:
    """A study of its own that trains the best of another one from scratch.

    Args:
        store: with the study that inherited.
        config: of that study.
        top: how many architectures, if there are so many. seeds: how often each is trained.

    Raises:
        InputError: the study has no complete trial.
    """
    source = store.study(config.study)
    history = store.history(source.id)
    networks = networks_of(history)
    best = best_first(history, networks, task_of(config))[:top]
    if not best:
        raise InputError.of("study", f"{source.name!r} has no complete trial to retrain")
    scratch = config.protocol.model_copy(update={"initialisation": "scratch"})
    values = {
        "study": retrained_name(config.study),
        "protocol": scratch,
        "searcher": RandomConfig(),
        "scheduler": NoSchedulerConfig(),
        "trials": len(best),
        "initial": (),
        "warm_start": (),
        "random_baseline": 0.0,
    }

    def find(store: Store, study: StudyRecord, _task: Task[Architecture]) -> Extra:
        has = {(t.architecture_id, t.repeat) for t in store.trials(study.id)}
        wanted = tuple(
            Proposal(networks[trial.architecture_id], f"retrains trial {trial.number}", repeat)
            for repeat in range(seeds)
            for trial in best
            if (trial.architecture_id, repeat) not in has
        )
        return Extra(repeats=wanted)

    return config.model_copy(update=values), find
