"""`show`: one architecture with its cost and its trials."""

import json
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from search.cli.options import json_option, print_json, stdout_console, store_option
from search.store import ArchitectureRecord, EpochRecord, TrialRecord, open_store
from space import Architecture
from space.wording import count, duration, percent, short

_BARS = "▁▂▃▄▅▆▇█"


@click.command("show")
@click.argument("architecture")
@store_option()
@json_option
def command(architecture: str, store: str, as_json: bool) -> None:
    """Print an architecture: its stages, what it costs, and how it learned.

    ARCHITECTURE is an id, or the beginning of one, as `best` prints it.

    \b
    Examples:
      python -m search show 1f0c9a52e7d3b846
      python -m search show 1f0c --json
    """
    with open_store(store, create=False) as opened:
        record = opened.architecture(architecture)
        trials = opened.trials_of(record.id)
        curves = opened.curves([trial.id for trial in trials])
        studies = {study.id: study.name for study in opened.studies()}
    if as_json:
        print_json(_plain(record, trials, curves, studies))
        return
    console = stdout_console()
    _print_network(console, record)
    for trial in trials:
        _print_trial(console, trial, curves[trial.id], studies[trial.study_id])


def _plain(
    record: ArchitectureRecord,
    trials: list[TrialRecord],
    curves: dict[int, list[EpochRecord]],
    studies: dict[int, str],
) -> dict[str, Any]:
    return {
        "id": record.id,
        "architecture": json.loads(record.json),
        "operators": record.operators,
        "params": record.params,
        "flops": record.macs,
        "mixers": [asdict(mixer) for mixer in record.mixers],
        "trials": [
            asdict(trial)
            | {"study": studies[trial.study_id]}
            | {"epochs": [asdict(epoch) for epoch in curves[trial.id]]}
            for trial in trials
        ],
    }


def _print_network(console: Console, record: ArchitectureRecord) -> None:
    network = Architecture.from_json(record.json)
    head = (
        f"{record.id}  {record.operators}\n"
        f"{record.params:,} params · {short(record.macs)} FLOPs (multiply-accumulates for one "
        f"image; both from a closed form) · {count(record.depth, 'block')} · "
        f"scaffold {record.scaffold}"
    )
    console.print(Text(head))
    image = network.input
    table = Table(title="Stages", title_justify="left", title_style="bold")
    for name in ("stage", "map", "width", "depth", "MLP ratio"):
        table.add_column(name, justify="right")
    table.add_column("token mixers, block by block", overflow="fold")
    for index, (stage, size) in enumerate(zip(network.stages, network.stage_sizes(), strict=True)):
        labels = [mixer.label for mixer in record.mixers if mixer.stage == index]
        table.add_row(
            str(index + 1),
            f"{size.height}×{size.width}",
            str(stage.width),
            str(stage.depth),
            f"{stage.mlp_ratio:g}",
            "\n".join(labels),
        )
    table.caption = (
        f"{image.channels}×{image.height}×{image.width} images · "
        f"stem patch {network.stem.patch_size} · {count(network.head.classes, 'class')}".replace(
            "classs", "classes"
        )
    )
    console.print(table)


def _print_trial(
    console: Console, trial: TrialRecord, curve: list[EpochRecord], study: str
) -> None:
    line = f"\nTrial {trial.number} of study {study}: {trial.state}"
    line += f" ({trial.reason})" if trial.reason else ""
    line += f" · from {trial.origin} · {duration(trial.seconds)} of training"
    seeds = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in trial.seeds.items())
    console.print(Text(f"{line}\nSeeds: {seeds}"))
    if not curve:
        return
    table = Table(title=f"Learning curve  {_spark(curve)}", title_justify="left")
    for name in ("epoch", "accuracy", "validation loss", "train loss", "learning rate", "seconds"):
        table.add_column(name, justify="right")
    for epoch in curve:
        table.add_row(
            str(epoch.epoch),
            percent(epoch.validation_accuracy),
            _number(epoch.validation_loss),
            _number(epoch.train_loss),
            "–" if epoch.learning_rate is None else f"{epoch.learning_rate:.2e}",
            "–" if epoch.seconds is None else f"{epoch.seconds:.1f}",
        )
    console.print(table)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _spark(curve: list[EpochRecord]) -> str:
    """Validation accuracy as a row of bars, from its lowest to its highest."""
    values = [e.validation_accuracy for e in curve if e.validation_accuracy is not None]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (len(_BARS) - 1) / (high - low) if high > low else 0.0
    return "".join(_BARS[round((value - low) * scale)] for value in values)
