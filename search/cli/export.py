"""`export`: a trained network as a folder that people ship."""

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from search.cli.options import store_option
from space.cli.commands import PathType, json_option, print_json
from space.cli.output import stdout_console
from space.cli.tables import print_table

if TYPE_CHECKING:
    from trainers.export import Exported, Parity


@click.command("export")
@click.argument("architecture", required=False)
@click.option(
    "--to",
    required=True,
    type=PathType(),
    metavar="DIR",
    help="The folder: one that is not there yet, or an empty one.",
)
@click.option("--study", metavar="NAME", help="Only trainings of this study.")
@click.option("--trial", type=int, metavar="N", help="The training with this number.")
@click.option(
    "--without",
    multiple=True,
    metavar="PART",
    help="Leave out onnx (model.onnx), pt2 (model.pt2) or standalone (network.py, infer.py). May "
    "be given many times.",
)
@click.option("--force", is_flag=True, help="Replace an earlier export.")
@store_option()
@json_option
def command(
    architecture: str | None,
    to: Path,
    study: str | None,
    trial: int | None,
    without: tuple[str, ...],
    force: bool,
    store: str,
    as_json: bool,
) -> None:
    """Write a folder with a trained network that others can use without mixspace.

    ARCHITECTURE is an id, or the beginning of one, as `best` prints it; without it, the best of
    --study that keeps its bounds is taken.

    \b
    Examples:
      python -m search export --study first-retrained --to shipped
      python -m search export 1f0c --to shipped
      python -m search export 1f0c --study first-retrained --trial 2 --to shipped
      python -m search export 1f0c --to shipped --force --without onnx

    Of several complete trainings it takes the most accurate one, those of `retrain` before those of
    a search. The folder has the weights, one Python file that builds the network with torch alone,
    infer.py, which classifies pictures, ONNX and torch.export, what timm reads, and a model card
    with all that the store knows. What was written is compared with the network: where it computes
    something else, nothing is exported.
    """
    from search.handover import export  # torch is heavy, and --help has no use for it

    found = export(
        store,
        architecture,
        to,
        study=study,
        trial=trial,
        without=without,
        force=force,
        say=lambda text: click.echo(text, err=True),
    )
    if as_json:
        print_json(_plain(found))
    else:
        _print(found, to)


def _plain(found: "Exported") -> dict[str, Any]:
    return {
        "folder": str(found.folder),
        "architecture": found.architecture_id,
        "opset": found.opset,
        "files": dict(found.files),
        "parities": {name: asdict(parity) for name, parity in found.parities.items()},
    }


def _print(found: "Exported", to: Path) -> None:
    rows = [
        (name, f"{size:,}", _off(found.parities.get(name))) for name, size in found.files.items()
    ]
    columns = ("file", "bytes", "largest difference of a logit")
    print_table(f"{found.architecture_id} in {found.folder}", columns, rows, right=("bytes",))
    if "infer.py" in found.files:
        infer = shlex.quote(str(to / "infer.py"))
        # A command that is folded in the middle cannot be copied.
        stdout_console().print(f"To classify a picture: python {infer} PICTURE", soft_wrap=True)


def _off(parity: "Parity | None") -> str:
    return "" if parity is None else f"{parity.error:.1e} (at most {parity.allowed:.2g})"
