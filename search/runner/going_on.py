"""More work on a study that is in the store, as it was configured: to continue it, to repeat."""

from collections.abc import Collection, Sequence
from typing import Any

from search.config import Config, Override, changed_for_resume
from search.config.config import MOST_TRIALS
from search.driver.extra_trials import ExtraTrialsRequest, combined, continue_ended, repeat_best
from search.driver.retraining import plan_of, train_in_full, with_more_networks
from search.driver.study_setup import task_of_study
from search.store import open_store
from search.store.open import open_to_look_up
from space.errors import InputError, Problem, refuse

MOST_SEEDS = 1000

Overrides = Sequence[str | Override]


def to_continue(
    store: str,
    study: str,
    *,
    trials: int | None = None,
    pruned: int = 0,
    failed: bool = False,
    infeasible: bool = False,
    numbers: Collection[int] = (),
    overrides: Overrides = (),
) -> tuple[Config, ExtraTrialsRequest | None]:
    """What goes on with a study: its configuration, and what is asked for beside its plan.

    Args:
        store, study: where it is.
        trials: raises the planned number.
        pruned, failed, infeasible, numbers: ended trials that go on, as `continue_ended` says.
        overrides: changes of fields that decide nothing about the results.

    Raises:
        InputError: there is no such study, it was made by another version, it keeps a field, or
            has no such trial.
    """
    refuse_wrong_counts(trials=(trials, 1, MOST_TRIALS), pruned=(pruned or None, 1, MOST_TRIALS))
    config = stored_config(store, study, overrides)
    if trials is not None:
        config = config.model_copy(update={"trials": max(trials, config.trials)})
    extra_request = None
    if pruned or failed or infeasible or numbers:
        extra_request = continue_ended(
            pruned=pruned, failed=failed, infeasible=infeasible, numbers=numbers
        )
        with open_store(store, create=False) as opened:
            # Refuses before Ray starts.
            found = opened.studies.get(study)
            extra_request(opened, found, task_of_study(opened, found, config))
    return _rest_where_it_retrains(config, extra_request)


def to_repeat(
    store: str, study: str, *, top: int, seeds: int, overrides: Overrides = ()
) -> tuple[Config, ExtraTrialsRequest | None]:
    """What trains the best of a study again; not one that inherits, which is retrained instead.

    Args:
        store, study: where it is.
        top: how many architectures.
        seeds: how often each is trained, the first time included.
        overrides: changes of fields that decide nothing about the results.

    Raises:
        InputError: as `to_continue` does, and for a study without a complete trial.
    """
    refuse_wrong_counts(top=(top, 1, MOST_TRIALS), seeds=(seeds, 2, MOST_SEEDS))
    config = stored_config(store, study, overrides)
    extra_request = repeat_best(top, seeds)
    with open_store(store, create=False) as opened:
        # Refuses before Ray starts.
        found = opened.studies.get(study)
        extra_request(opened, found, task_of_study(opened, found, config))
    return _rest_where_it_retrains(config, extra_request)


def stored_config(store: str, study: str, overrides: Overrides = ()) -> Config:
    """The configuration that a study was made with, and what is changed of it.

    Raises:
        InputError: there is no such study, it was made by another version, or it keeps a field.
    """
    with open_to_look_up(store) as opened:
        found = opened.studies.get(study)
    try:
        config = Config.from_stored(found.config | {"store": store})
    except InputError as error:
        problems = "; ".join(map(str, error.problems))
        message = f"the stored configuration of {study!r} cannot be read here: {problems}"
        raise InputError.of("study", message) from None
    config = config.model_copy(update={"trials": max(config.trials, found.planned_trials)})
    return changed_for_resume(config, overrides)


def _rest_where_it_retrains(
    config: Config, extra_request: ExtraTrialsRequest | None
) -> tuple[Config, ExtraTrialsRequest | None]:
    """A study of full trainings has no plan but those: nothing of a searcher's."""
    with open_store(config.store, create=False) as opened:
        plan = plan_of(opened, opened.studies.get(config.study))
        if plan is None:
            return config, extra_request
        search = stored_config(config.store, plan.study)
        plan = with_more_networks(opened, plan, search, config.trials)
    config = config.model_copy(update={"trials": len(plan.networks)})
    rest = train_in_full(plan)
    return config, rest if extra_request is None else combined(extra_request, rest)


def refuse_wrong_counts(**counts: tuple[Any, int, int]) -> None:
    """Each with the least and the most that it may be; None is left out."""
    refuse(
        Problem(name, f"must be a whole number from {least} to {most:,}; got {value!r:.80}")
        for name, (value, least, most) in counts.items()
        if value is not None and (type(value) is not int or not least <= value <= most)
    )
