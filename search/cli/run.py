"""`run`: search."""

from pathlib import Path

import click

from search.cli.options import json_option, store_option
from search.cli.running import GivenRun, carry_out
from search.config import load_config
from search.query.baseline import ENOUGH
from space.cli.commands import PathType


@click.command("run")
@click.argument("config", type=PathType())
@click.option("--study", metavar="NAME", help="Name of the study, in place of the configuration's.")
@store_option(default=None)
@click.option(
    "--set",
    "overrides",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Change a field of the configuration; VALUE is YAML. May be given many times.",
)
@click.option(
    "--with-random-baseline",
    "random_baseline",
    metavar="SHARE",
    help="Give this share of the trials (0.1 is a tenth) to random points, so that the report can "
    f"say what the searcher is worth. That takes {ENOUGH} random points.",
)
@click.option("--resume", is_flag=True, help="Go on with the study if it is there already.")
@json_option
def command(
    config: Path,
    study: str | None,
    store: str | None,
    overrides: tuple[str, ...],
    random_baseline: str | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Run the search that CONFIG, a YAML file, describes.

    \b
    Examples:
      python -m search run configs/quickstart.yaml
      python -m search run configs/quickstart.yaml --resume
      python -m search run configs/quickstart.yaml --study again --set trials=10 --set seed=1
      python -m search run configs/quickstart.yaml --set protocol.epochs=2 --set initial=[named]
      python -m search run configs/quickstart.yaml --with-random-baseline 0.2
      ray job submit --working-dir . -- python -m search run configs/imagenet.yaml

    Ctrl-C stops cleanly. The same command with --resume goes on: it starts the study if it does
    not exist, and says so if it is complete. Everything is checked before anything is written.
    """
    if random_baseline is not None:
        overrides = (*overrides, f"random_baseline={random_baseline}")
    loaded = load_config(config, overrides=overrides, study=study, store=store)
    given = GivenRun(str(config), overrides, store is not None)
    return carry_out(loaded, given, resume=resume, as_json=as_json)
