"""`continue` and `repeat`: more work on a study that is in the store, as it was configured."""

from collections.abc import Sequence

import click

from search.cli.next_commands import NextCommands, next_commands
from search.cli.options import set_option, store_option
from search.cli.run import carry_out
from search.config import Config
from search.config.config import MOST_TRIALS
from search.next_steps import MoreWork
from search.runner.going_on import MOST_SEEDS, to_continue
from search.runner.retraining import repeat_or_retrain
from space.cli.commands import json_option

_set_option = set_option(
    "Change a field that decides nothing about the results, such as checkpoints or "
    "resources.gpus_per_trial."
)


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
    "--infeasible",
    is_flag=True,
    help="Try the infeasible trials again, as on a machine with more memory.",
)
@click.option(
    "--trial",
    "numbers",
    type=int,
    multiple=True,
    metavar="NUMBER",
    help="Let this pruned, failed or infeasible trial go on. May be given many times.",
)
@_set_option
@store_option()
@json_option
def continue_command(
    study: str,
    trials: int | None,
    pruned: int | None,
    failed: bool,
    infeasible: bool,
    numbers: tuple[int, ...],
    overrides: tuple[str, ...],
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
    config, extra_request = to_continue(
        store,
        study,
        trials=trials,
        pruned=pruned or 0,
        failed=failed,
        infeasible=infeasible,
        numbers=numbers,
        overrides=overrides,
    )
    asked = {"trials": trials, "pruned": pruned, "failed": failed, "infeasible": infeasible}
    work = MoreWork("continue", asked | {"numbers": numbers})
    commands = _commands(config, overrides, work)
    return carry_out(config, commands, resume=True, as_json=as_json, extra_request=extra_request)


@click.command("repeat")
@click.argument("study")
@click.option(
    "--top", type=click.IntRange(1, MOST_TRIALS), default=5, show_default=True, metavar="N"
)
@click.option(
    "--seeds",
    type=click.IntRange(min=2, max=MOST_SEEDS),
    default=3,
    show_default=True,
    help="Train each until it has results of that many seeds, the first one included.",
)
@_set_option
@store_option()
@json_option
def repeat_command(
    study: str, top: int, seeds: int, overrides: tuple[str, ...], store: str, as_json: bool
) -> int:
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
    config, extra_request = repeat_or_retrain(
        store, study, top=top, seeds=seeds, overrides=overrides
    )
    work = MoreWork("repeat", {"top": top, "seeds": seeds}, study)
    commands = _commands(config, overrides, work)
    return carry_out(config, commands, resume=True, as_json=as_json, extra_request=extra_request)


def _commands(config: Config, overrides: Sequence[str], asked: MoreWork) -> NextCommands:
    """Of a run that was asked for so, with the study's own configuration."""
    store = config.store
    return next_commands(None, config.study, store, overrides, store_given=False, asked=asked)
