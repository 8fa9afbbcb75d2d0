"""`plot`: a figure of a study or of an architecture, as a page or an image."""

from pathlib import Path
from typing import Any

import click

from search.cli.figures import draw
from search.cli.options import store_option
from search.visualization.figure_file import SUFFIXES
from space.cli.commands import PathType
from space.errors import Problem, refuse

_OPTIONS = {
    "front": ("where", "across", "up", "pruned"),
    "history": (),
    "hypervolume": (),
    "curves": ("where", "measure", "top"),
    "importances": ("where", "target"),
    "relation-graph": ("where",),
    "architecture": (),
}
"""What may be asked of each kind."""


@click.command("plot")
@click.argument("subject")
@click.option(
    "--kind", type=click.Choice(list(_OPTIONS)), default="front", show_default=True, help="Which."
)
@click.option(
    "--out",
    required=True,
    type=PathType(),
    metavar="FILE",
    help=f"The figure: {', '.join(SUFFIXES)}. A file that is there is written anew.",
)
@click.option("--where", metavar="CLAUSE", help="Only trials that fulfil this clause.")
@click.option("--across", metavar="METRIC", help="Of front: across, such as params or macs.")
@click.option("--up", metavar="METRIC", help="Of front: up, of several objectives.")
@click.option("--pruned", is_flag=True, help="Of front: what was stopped early too, marked.")
@click.option("--measure", metavar="NAME", help="Of curves: accuracy, 'validation loss', …")
@click.option("--top", type=int, metavar="N", help="Of curves: how many of the best trials.")
@click.option("--target", metavar="METRIC", help="Of importances: by which the best are told.")
@store_option()
def command(subject: str, kind: str, out: Path, store: str, **given: Any) -> None:
    """Draw a figure of the study SUBJECT; of kind architecture, SUBJECT is the id of one.

    \b
    Examples:
      python -m search plot quickstart --out front.html
      python -m search plot quickstart --kind history --out history.svg
      python -m search plot small-and-good --kind hypervolume --out hypervolume.svg
      python -m search plot quickstart --kind curves --top 5 --out curves.png
      python -m search plot quickstart --kind importances --out axes.svg
      python -m search plot 1f0c9a52e7d3b846 --kind architecture --out network.svg

    Fronts, the best so far, the hypervolume and importances are of complete results alone, of one
    study and so of one protocol. An .html file needs nothing else and no network when it is opened;
    .svg and .png need the extra mixspace[plot] and a Chrome or Chromium, which BROWSER_PATH may
    name. Token mixers and networks without a store are drawn by `python -m space show --out`.
    """
    asked = {name: value for name, value in given.items() if value not in (None, False)}
    refuse(
        Problem(f"--{name}", f"does not go with --kind {kind}")
        for name in asked
        if name not in _OPTIONS[kind]
    )
    draw(store, subject, kind, asked, out, "--out")
