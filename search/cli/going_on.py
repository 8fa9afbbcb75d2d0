"""`continue` and `repeat`: more work on a study that is in the store, as it was configured."""

import click

from search.cli.options import json_option, store_option
from search.cli.running import GivenRun, carry_out
from search.config import Config
from search.config.config import MOST_TRIALS
from search.runner.extra import continue_ended, repeat_best
from search.runner.retraining import retraining
from search.runner.setup import task_of
from search.store import open_store
from search.store.open import open_to_look_up
from space.errors import InputError


@click.command("continue")
@click.argument("study")
@click.option(
    "--trials", type=click.IntRange(1, MOST_TRIALS), help="Raise the planned number of trials."
)
@click.option(
    "--pruned",
    type=click.IntRange(1, MOST_TRIALS),
    metavar="N",
    help="Train the best N pruned trials to their end, each from where it was stopped.",
)
@click.option(
    "--failed",
    is_flag=True,
    help="Train the failed trials again, each from its checkpoint where it has one.",
)
@click.option(
    "--trial",
    "numbers",
    type=int,
    multiple=True,
    metavar="NUMBER",
    help="Let this pruned, failed or infeasible trial go on. May be given many times.",
)
@store_option()
@json_option
def continue_command(
    study: str,
    trials: int | None,
    pruned: int | None,
    failed: bool,
    numbers: tuple[int, ...],
    store: str,
    as_json: bool,
) -> int:
    """Go on with STUDY: what was interrupted, what is planned, and ended trials on request.

    \b
    Examples:
      python -m search continue quickstart
      python -m search continue quickstart --trials 40
      python -m search continue quickstart --pruned 3
      python -m search continue quickstart --failed
      python -m search continue quickstart --trial 7 --trial 12

    A pruned trial keeps its curve and its checkpoint, so nothing is trained twice. A failed one
    is trained again only on request, as one more of its attempts: once what broke it is mended.
    """
    config = _stored(store, study)
    if trials is not None:
        config = config.model_copy(update={"trials": max(trials, config.trials)})
    wanted = bool(pruned or failed or numbers)
    asked = continue_ended(pruned=pruned or 0, failed=failed, numbers=numbers) if wanted else None
    if asked is not None:
        with open_store(store, create=False) as opened:
            asked(opened, opened.study(study), task_of(config))  # refuses before Ray starts
    return carry_out(config, GivenRun(None), resume=True, as_json=as_json, asked=asked)


@click.command("repeat")
@click.argument("study")
@click.option(
    "--top", type=click.IntRange(1, MOST_TRIALS), default=5, show_default=True, metavar="N"
)
@click.option(
    "--seeds",
    type=click.IntRange(min=2, max=1000),
    default=3,
    show_default=True,
    help="Train each until it has results of that many seeds, the first one included.",
)
@store_option()
@json_option
def repeat_command(study: str, top: int, seeds: int, store: str, as_json: bool) -> int:
    """Train the best architectures of STUDY again with other seeds, to see what the order is worth.

    \b
    Examples:
      python -m search repeat quickstart --top 5 --seeds 3
      python -m search best --study quickstart

    With several objectives the best are those of the front, its ends first. Every repeat trains
    from scratch, to its end. `best` then shows the mean and the spread, and
    calls a tie what the spread does not separate. The best of a study whose trials inherit weights
    are retrained in a study of their own, STUDY-retrained, since the two do not compare.
    """
    config = _stored(store, study)
    asked = repeat_best(top, seeds)
    with open_store(store, create=False) as opened:
        if config.protocol.initialisation == "inherited":
            config, asked = retraining(opened, config, top, seeds)
        else:
            asked(opened, opened.study(study), task_of(config))  # refuses before Ray starts
    return carry_out(config, GivenRun(None), resume=True, as_json=as_json, asked=asked)


def _stored(store: str, study: str) -> Config:
    """The configuration that a study was made with.

    Raises:
        InputError: there is no such study, or it was made by another version.
    """
    with open_to_look_up(store) as opened:
        found = opened.study(study)
    try:
        config = Config.from_stored(found.config | {"store": store})
    except InputError as error:
        problems = "; ".join(map(str, error.problems))
        message = f"{study!r} was made by a version that configured otherwise: {problems}"
        raise InputError.of("study", message) from None
    return config.model_copy(update={"trials": max(config.trials, found.planned_trials)})
