"""Full training, from scratch or finetuned, of what a search found: in a study of its own.

It has seeds of its own: a result of the search was chosen for being high, and is none of its.
"""

from collections.abc import Collection
from typing import Any

from search.config import Config
from search.driver.extra_trials import ExtraTrials, ExtraTrialsRequest
from search.driver.proposals import Proposal
from search.driver.retraining_plan import Planned, RetrainingPlan
from search.objectives import best_first
from search.query import RETRAINS, bound_words, evaluated
from search.schedulers import SCHEDULERS
from search.searchers import SEARCHERS, Task
from search.store import Store, StudyRecord, TrialRecord
from search.study_name import RETRAINED, retrained_name
from search.trial_states import EVALUATED
from space import Architecture
from space.errors import InputError, Problem, refuse
from trainers import Protocol
from trainers.seeds import derive

_OF_THE_SEARCH_ALONE = ("time_limit", "budget", "trial_time_limit")
"""What was given to short trainings would end full ones before they are through."""


def retraining_config(
    search: Config,
    name: str,
    protocol: Protocol,
    networks: int,
    finetune_from: str | None = None,
) -> Config:
    """The configuration of a new study of full trainings.

    Args:
        search: of the study that found the networks.
        name: of the new study. protocol: of the full trainings. networks: how many.
        finetune_from: study whose finished trainings they start from, where the protocol finetunes;
            None is the one that the search's started from, if they did.

    Raises:
        InputError: the protocol does not go with the data or the objectives.
    """
    found = {n: v for n, v in search.to_dict().items() if n not in _OF_THE_SEARCH_ALONE}
    if protocol.initialisation == "finetuned":
        finetune_from = finetune_from or search.finetune_from
    values = _without_latency(found) | {
        "study": name,
        "protocol": protocol.to_dict(),
        "finetune_from": finetune_from,
        "searcher": SEARCHERS.options("random").model_dump(),
        "scheduler": SCHEDULERS.options("none").model_dump(),
        "trials": networks,
        "initial": [],
        "warm_start": [],
        "random_baseline": 0.0,
        "seed": derive(search.seed, "retraining"),
        "seeds": {},
    }
    return Config.from_dict(values)


def _without_latency(values: dict[str, Any]) -> dict[str, Any]:
    """Trained in full is what was measured within the limit; it may be done on another machine."""
    kept = {name: value for name, value in values.items() if name != "latency"}
    for section in ("objectives", "constraints"):
        kept[section] = {n: each for n, each in kept[section].items() if n != "latency"}
    kept["objectives"] = kept["objectives"] or {"validation_accuracy": "maximise"}
    return kept


def best_of(
    store: Store, study: StudyRecord, config: Config, top: int, where: str | None = None
) -> list[tuple[str, int]]:
    """The best completely trained networks of a study: their ids, and the numbers of their trials.

    What breaks a bound of the study, or was not measured within it, is none of them. One that was
    trained several times counts with its mean, as in `best`. With several objectives those of the
    front come first, its ends before the others.

    Args:
        store, study: where to look.
        config: of the study.
        top: how many, if there are so many.
        where: a clause that they fulfil.

    Raises:
        InputError: a malformed clause, or no such trial.
    """
    objectives = config.parsed_objectives
    found = evaluated(store, study.name, objectives.names, where=where)
    found = [row for row in found if objectives.has(row.values)]
    rows = [row for row in found if objectives.keeps(row.values)]
    if not rows:
        fulfils = "" if where is None else f" that fulfils {where!r}"
        keeps = ""
        if found:
            keeps = f" that keeps its constraints ({bound_words(objectives.constraints)})"
        message = f"{study.name!r} has no complete trial{fulfils}{keeps} to retrain"
        raise InputError.of("study" if where is None else "--where", message)
    vectors = [objectives.vector(row.values) for row in rows]
    order = best_first(vectors, most=min(top, len(rows)))
    trials = _trials_of(store, study)
    ids = [rows[index].architecture_id for index in order]
    return [(id_, trials[id_].number) for id_ in ids]


def chosen_by_id(store: Store, study: StudyRecord, ids: Collection[str]) -> list[tuple[str, int]]:
    """Networks of a study by the beginnings of their ids, each once.

    Raises:
        InputError: every one that the store does not have, or the study has not trained.
    """
    trials = _trials_of(store, study)
    found: dict[str, int] = {}
    problems: list[Problem] = []
    for id_ in ids:
        try:
            whole = store.architectures.get(id_).id
        except InputError as error:
            problems += error.problems
            continue
        if whole in trials:
            found[whole] = trials[whole].number
        else:
            message = f"{whole} has no complete or pruned trial in {study.name!r}"
            problems.append(Problem("architecture", message))
    refuse(problems)
    return list(found.items())


def _trials_of(store: Store, study: StudyRecord) -> dict[str, TrialRecord]:
    """The first trained trial of every architecture of a study."""
    found: dict[str, TrialRecord] = {}
    for trial in store.trials.of_study(study.id, EVALUATED):
        found.setdefault(trial.architecture_id, trial)
    return found


def train_in_full(plan: RetrainingPlan) -> ExtraTrialsRequest:
    """Train networks in full, and those that the study was asked for before."""

    def find(store: Store, study: StudyRecord, _task: Task[Architecture]) -> ExtraTrials:
        known = plan_of(store, study) or RetrainingPlan(plan.study, ())
        whole = known.with_more(plan.networks)
        has = {(trial.architecture_id, trial.repeat) for trial in store.trials.of_study(study.id)}
        ids = dict.fromkeys(each.architecture_id for each in whole.networks)
        networks = {id_: Architecture.from_json(store.architectures.get(id_).json) for id_ in ids}
        repeats = tuple(
            Proposal(networks[each.architecture_id], f"{RETRAINS} {each.trial}", repeat)
            for repeat in range(whole.seeds)  # all once, before any of them twice
            for each in whole.networks
            if repeat < each.seeds and (each.architecture_id, repeat) not in has
        )
        return ExtraTrials(repeats=repeats, nothing_else=True, retrains=whole.to_stored())

    return find


def plan_of(store: Store, study: StudyRecord) -> RetrainingPlan | None:
    """What a study was asked to train in full; None of one that is a search."""
    stored = RetrainingPlan.from_stored(study.retrains)
    return _plan_of_trials(store, study) if stored is None else stored


def _plan_of_trials(store: Store, study: StudyRecord) -> RetrainingPlan | None:
    """The plan of a study of an earlier release, which did not write it down."""
    if not study.name.endswith(RETRAINED) or _inherits(study):
        return None
    names = (s.name for s in store.studies.summaries() if retrained_name(s.name) == study.name)
    source = next((s for name in names if _inherits(s := store.studies.get(name))), None)
    if source is None:
        return None
    trials = store.trials.of_study(study.id)
    seeds = 1 + max((trial.repeat for trial in trials), default=0)
    numbers = {trial.architecture_id: trial.number for trial in _trials_of(store, source).values()}
    ids = dict.fromkeys(trial.architecture_id for trial in trials)
    networks = (Planned(id_, numbers.get(id_, 0), seeds) for id_ in ids)
    return RetrainingPlan(source.name, tuple(networks))


def _inherits(study: StudyRecord) -> bool:
    return study.protocol.get("initialisation") == "inherited"


def with_more_networks(
    store: Store, plan: RetrainingPlan, search: Config, networks: int
) -> RetrainingPlan:
    """The plan with the next best of the search, until it has so many networks.

    Each gets as many seeds as any has; where the search has no more, there are fewer.
    """
    if networks <= len(plan.networks):
        return plan
    best = best_of(store, store.studies.get(plan.study), search, networks + len(plan.networks))
    known = {each.architecture_id for each in plan.networks}
    more = [each for each in best if each[0] not in known][: networks - len(known)]
    return plan.with_more(Planned(id_, trial, plan.seeds) for id_, trial in more)
