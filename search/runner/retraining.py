"""What trains chosen networks of a study in full: everything is refused that can be beforehand."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from search.config import Config, Override, differences, full_protocol
from search.config.config import MOST_TRIALS
from search.config.differences import CHANGEABLE, SAME_IMAGES
from search.config.overrides import WHERE, apply_overrides, field_of
from search.config.protocols import Given
from search.driver.extra_trials import ExtraTrialsRequest
from search.driver.retraining import (
    best_of,
    chosen_by_id,
    plan_of,
    retraining_config,
    train_in_full,
)
from search.driver.retraining_plan import Planned, RetrainingPlan
from search.driver.sources import Sources
from search.runner.going_on import (
    MOST_SEEDS,
    refuse_wrong_counts,
    stored_config,
    to_repeat,
)
from search.store import Store, StudyRecord
from search.store.open import open_to_look_up
from search.study_name import retrained_name
from search.trial_states import EVALUATED
from space import Architecture
from space.errors import InputError, Problem, refuse
from space.surface import surface
from space.wording import did_you_mean, some
from trainers import Protocol

Overrides = Sequence[str | Override]
_OF_THE_PROTOCOL, _SOURCE = "protocol", "finetune_from"
_MAY_CHANGE = (
    *(_OF_THE_PROTOCOL, "data", "seed", "seeds", _SOURCE),
    *(name for name in CHANGEABLE if name not in ("study", "store", "trials")),
)
"""Sections of the configuration that a full training may set."""
_OF_THE_SPLIT = {
    "data.name": "the images are those of the search",
    "data.test_fraction": "the test split is that of the search",
}


@dataclass(frozen=True, slots=True)
class Retraining:
    """A full training that may begin.

    Attributes:
        config: of the study that has the full trainings. request: what is trained in it.
        plan: what was asked for now. overrides: those that a later run may repeat.
    """

    config: Config
    request: ExtraTrialsRequest
    plan: RetrainingPlan
    overrides: Overrides


def to_retrain(
    store: str,
    *,
    ids: Sequence[str] = (),
    top: int | None = None,
    study: str | None = None,
    where: str | None = None,
    protocol: Given = None,
    seeds: int = 3,
    name: str | None = None,
    overrides: Overrides = (),
) -> Retraining:
    """What trains networks of a study in full, from scratch or finetuned, in a study of its own.

    Args:
        store: where both are.
        ids: beginnings of architectures' ids; or
        top: so many of the best, among those that fulfil `where`.
        study: that found them; None where only one can be meant.
        protocol: as `full_protocol` takes it; None is the search's own, or what the study of full
            trainings has already.
        seeds: how often each is trained.
        name: of the study of full trainings; None makes it of the search's.
        overrides: changes of the protocol, of the study that it finetunes (`finetune_from`), of
            where the images lie, and of what decides nothing.

    Raises:
        InputError: whatever of it cannot be done, before anything is written.
    """
    _refuse_wrong_choice(ids, top, where)
    refuse_wrong_counts(top=(top, 1, MOST_TRIALS), seeds=(seeds, 1, MOST_SEEDS))
    _refuse_other_fields(overrides)
    with open_to_look_up(store) as opened:
        source = _source(opened, study, ids)
        search = stored_config(store, source.name)
        chosen = (
            chosen_by_id(opened, source, ids)
            if top is None
            else best_of(opened, source, search, top, where)
        )
        plan = RetrainingPlan(source.name, tuple(Planned(id_, n, seeds) for id_, n in chosen))
        wanted = retrained_name(source.name) if name is None else name
        found = opened.studies.get(wanted) if opened.studies.exists(wanted) else None
        before = None if found is None else _plan_of(opened, found, source)
    whole = plan if before is None else before.with_more(plan.networks)
    if found is None:
        config = _new_config(search, source, wanted, protocol, overrides, len(whole.networks))
    else:
        config = _config_of(store, found, source, search, protocol, overrides, len(whole.networks))
    _refuse_without_source(store, config, whole)
    later = [each for each in overrides if field_of(each) in CHANGEABLE]
    return Retraining(config, train_in_full(whole), plan, later)


def repeat_or_retrain(
    store: str, study: str, *, top: int, seeds: int, overrides: Overrides = ()
) -> tuple[Config, ExtraTrialsRequest | None]:
    """What trains the best of a study again; of one that inherits from scratch, in another study.

    The arguments are those of `to_repeat`.

    Raises:
        InputError: as `to_repeat` and `to_retrain` do.
    """
    if stored_config(store, study, overrides).protocol.initialisation != "inherited":
        return to_repeat(store, study, top=top, seeds=seeds, overrides=overrides)
    refuse_wrong_counts(top=(top, 1, MOST_TRIALS), seeds=(seeds, 2, MOST_SEEDS))
    found = to_retrain(store, top=top, study=study, seeds=seeds, overrides=overrides)
    return found.config, found.request


def _refuse_wrong_choice(ids: Collection[str], top: int | None, where: str | None) -> None:
    say = surface()
    if ids and top is not None:
        message = f"does not go with ids ({', '.join(ids)}): they are the choice already"
        raise InputError.of(say.field("top"), message)
    if ids and where is not None:
        raise InputError.of(say.field("where"), f"goes with {say.field('top')}, not with ids")
    if not ids and top is None:
        top_three = say.given("top", 3)
        raise InputError.of("architecture", f"name architectures by their ids, or give {top_three}")


def _refuse_other_fields(overrides: Overrides) -> None:
    problems = []
    for override in overrides:
        field = field_of(override)
        if field is None or field in _MAY_CHANGE:
            continue
        where = override.where if isinstance(override, Override) else WHERE
        known = field in Config.model_fields
        said = "stays as it is" if known else f"is unknown{did_you_mean(field, _MAY_CHANGE)}"
        problems.append(
            Problem(where, f"{field} {said}; what may change: {', '.join(_MAY_CHANGE)}")
        )
    refuse(problems)


def _source(store: Store, study: str | None, ids: Sequence[str]) -> StudyRecord:
    """The study that found the networks.

    Raises:
        InputError: there is none, or several could be meant.
    """
    if study is not None:
        return store.studies.get(study)
    searches = {
        record.id: record
        for summary in store.studies.summaries()
        if plan_of(store, record := store.studies.get(summary.name)) is None
    }
    able = set(searches)
    problems: list[Problem] = []
    for id_ in ids:
        try:
            able &= _studies_of(store, store.architectures.get(id_).id)
        except InputError as error:
            problems += error.problems
    refuse(problems)
    names = sorted(searches[id_].name for id_ in able)
    if len(names) == 1:
        return store.studies.get(names[0])
    field = surface().field("study")
    if not names:
        which = "has trained all of them" if ids else "is in the store yet"
        raise InputError.of(field, f"no search {which}")
    raise InputError.of(field, f"name the search that found them: {some(names)}")


def _studies_of(store: Store, architecture_id: str) -> set[int]:
    """The ids of the studies that have trained an architecture."""
    trials = store.trials.of_architecture(architecture_id)
    return {trial.study_id for trial in trials if trial.state in EVALUATED}


def _plan_of(store: Store, found: StudyRecord, source: StudyRecord) -> RetrainingPlan:
    """The plan of the study that is there by the wanted name.

    Raises:
        InputError: it is another study.
    """
    plan = plan_of(store, found)
    if plan is None or plan.study != source.name:
        what = "is a search" if plan is None else f"retrains networks of {plan.study!r}"
        raise InputError.of(
            surface().field("name"),
            f"{found.name!r} is in the store and {what}; give another name by "
            f"{surface().given('name', 'NAME')}",
        )
    return plan


def _refuse_without_source(store: str, config: Config, plan: RetrainingPlan) -> None:
    """Refuse networks of which the study to be finetuned has no finished training.

    Raises:
        InputError: naming each, or that there is no such study.
    """
    name = config.finetune_from
    if name is None:
        return
    with open_to_look_up(store) as opened:
        if not opened.studies.exists(name):
            raise InputError.of(_SOURCE, f"there is no study {name!r} in the store")
        sources = Sources(opened, name)
        ids = [each.architecture_id for each in plan.networks]
        networks = [Architecture.from_json(opened.architectures.get(id_).json) for id_ in ids]
    lacking = [network.id for network in networks if sources.of(network) is None]
    said = f"study {name!r} has no finished training with its weights of"
    refuse(Problem(_SOURCE, f"{said} {id_}") for id_ in lacking)


def _new_config(
    search: Config,
    source: StudyRecord,
    name: str,
    given: Given,
    overrides: Overrides,
    networks: int,
) -> Config:
    own, others = _parted(overrides)
    named = [each for each in others if field_of(each) == _SOURCE]
    finetuned = apply_overrides({_SOURCE: None}, named, dict)[_SOURCE]
    protocol = full_protocol(_with_hash(search.protocol, source), given, own)
    config = retraining_config(search, name, protocol, networks, finetuned)
    return _changed(config, others, search)


def _config_of(
    store: str,
    found: StudyRecord,
    source: StudyRecord,
    search: Config,
    given: Given,
    overrides: Overrides,
    networks: int,
) -> Config:
    """The configuration of the study that is there, which keeps what decides its results.

    Raises:
        InputError: naming every field that is asked for otherwise.
    """
    config = stored_config(store, found.name)
    own, others = _parted(overrides)
    changed = _changed(config, others, search)
    if given is not None or own:
        base = config.protocol if given is None else search.protocol
        asked = full_protocol(_with_hash(base, source), given, own)
        changed = changed.model_copy(update={"protocol": _unpinned(asked, config.protocol)})
    _refuse_other_results(found.name, config, changed)
    trials = max(networks, config.trials)
    return changed.model_copy(update={"trials": trials, "protocol": config.protocol})


def _with_hash(protocol: Protocol, source: StudyRecord) -> Protocol:
    """The protocol of the search, for its images and no others."""
    return protocol.model_copy(update={"content_hash": source.protocol.get("content_hash")})


def _unpinned(asked: Protocol, kept: Protocol) -> Protocol:
    """The asked protocol with the hashes of the kept one: the content of the images is seen to."""
    hashes = {"content_hash": kept.content_hash, "split_hash": kept.split_hash}
    if asked.source_protocol is None:
        hashes["source_protocol"] = kept.source_protocol
    return asked.model_copy(update=hashes)


def _parted(overrides: Overrides) -> tuple[Overrides, Overrides]:
    """The changes of the protocol, and the others."""
    own = [each for each in overrides if field_of(each) == _OF_THE_PROTOCOL]
    return own, [each for each in overrides if field_of(each) != _OF_THE_PROTOCOL]


def _changed(config: Config, overrides: Overrides, search: Config) -> Config:
    if not overrides:
        return config
    changed = Config.from_dict(apply_overrides(config.to_dict(), overrides, dict))
    before, now = ({"data": each.data.to_dict()} for each in (search, changed))
    refuse(
        Problem(path, f"must be {old!r}: {_OF_THE_SPLIT[path]}; got {new!r}")
        for path, old, new in differences(before, now)
        if path in _OF_THE_SPLIT
    )
    return changed


def _refuse_other_results(name: str, kept: Config, asked: Config) -> None:
    problems = [
        Problem(path, f"{name!r} was begun with {old!r}; got {new!r}")
        for path, old, new in differences(kept.to_dict(), asked.to_dict())
        if path.partition(".")[0] not in CHANGEABLE and path not in SAME_IMAGES
    ]
    if problems:
        field, other = surface().field("name"), surface().given("name", "NAME")
        hint = f"a study keeps what its results depend on: begin another by {other}"
        raise InputError([*problems, Problem(field, hint)])
