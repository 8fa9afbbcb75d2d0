"""`show`: one architecture with its cost and its trials."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from search.cli.figures import draw, plot_option
from search.cli.options import store_option
from search.cli.trained_table import print_results
from search.driver.checkpoints import Checkpoints
from search.objectives import judged_by
from search.query import (
    OPTIMISTIC,
    Measured,
    StudyObjectives,
    bound_words,
    comparison,
    data_sentences,
    measured,
    study_objectives,
    trained_results,
)
from search.store import (
    ArchitectureRecord,
    EpochRecord,
    LatencyRecord,
    LatencySettingRecord,
    NoteRecord,
    Store,
    TrialRecord,
    open_to_read,
)
from space import Architecture
from space.architecture import RENAMED
from space.cli.commands import json_option, print_json
from space.cli.messages import printable
from space.cli.output import stdout_can_carry, stdout_console
from space.cli.tables import Column, FittedTable
from space.input.earlier_names import with_current_names
from space.wording import NONE, count, duration, percent, short

_MIXERS_WIDTH = 20
_BARS = "▁▂▃▄▅▆▇█"
_DIGITS = "12345678"


@click.command("show")
@click.argument("architecture")
@plot_option("its stages and what they cost")
@store_option()
@json_option
def command(architecture: str, plot: Path | None, store: str, as_json: bool) -> None:
    """Print an architecture: its stages, what it costs, and how it learned.

    ARCHITECTURE is an id, or the beginning of one, as `best` prints it.

    \b
    Examples:
      python -m search show 1f0c9a52e7d3b846
      python -m search show 1f0c --json
      python -m search show 1f0c --plot network.svg
    """
    if plot is not None:
        draw(store, architecture, "architecture", {}, plot, "--plot")
    with open_to_read(store) as opened:
        record = opened.architectures.get(architecture)
        trials = opened.trials.of_architecture(record.id)
        curves = opened.epochs.of_trials([trial.id for trial in trials])
        took = measured(opened, [trial.id for trial in trials])
        studies = {study.id: study.name for study in opened.studies.summaries()}
        names = sorted({studies[trial.study_id] for trial in trials})
        records = {name: opened.studies.get(name) for name in names}
        logs = _logs(opened, trials)
        compared = {name: comparison(opened, name) for name in names}
        wanted = {name: study_objectives(opened, name) for name in names}
        results = trained_results(opened, record.id)
        latencies = opened.latencies.of_architecture(record.id)
        tags = opened.tags.of([record.id]).get(record.id, [])
        notes = opened.tags.notes_of(record.id)
    rules = {name: judged_by(study.protocol) for name, study in records.items()}
    kept = _kept(record.id, wanted)
    if as_json:
        beside = {name: found and asdict(found) for name, found in compared.items()}
        plain = _plain(record, trials, curves, took, studies, logs) | {"keeps_constraints": kept}
        plain |= {"trained": [asdict(result) for result in results]}
        plain |= {"tags": tags, "notes": [asdict(note) for note in notes]}
        plain["latencies"] = [_plain_latency(*each) for each in latencies]
        print_json(plain | {"against_random_search": beside, "judged_by": rules})
        return
    console = stdout_console()
    _print_network(console, record)
    console.print(_remarks(tags, notes), end="")
    print_results(console, results)
    places = _places(trials, studies)
    for trial in trials:
        said = [*_history(trial, places), *_measured(took[trial.id])]
        if (log := logs.get(trial.id)) is not None:
            said.append(f"Log of how it broke off: {log}")
        _print_trial(console, trial, curves[trial.id], places, said)
    for setting, of_setting in latencies:
        console.print(Text(_latency_line(setting, of_setting)))
    for name, study in records.items():
        for sentence in data_sentences(study.objective):
            console.print(Text(f"Study {name}. {sentence}"))
    for name, found in compared.items():
        if found is not None:
            console.print(Text(f"\nStudy {name}. {found.sentence}"))
    for name in (name for name, rule in rules.items() if rule == "best"):
        console.print(Text(f"\nStudy {name}. Its accuracies {OPTIMISTIC}"))
    for name, keeps in kept.items():
        word = {True: "is kept", False: "is broken", None: "has no complete trial to judge"}[keeps]
        bounds = bound_words(wanted[name].bounds)
        console.print(Text(f"\nStudy {name} wants {bounds}: this {word}."))


def _remarks(tags: list[str], notes: list[NoteRecord]) -> Text:
    """What people said of it, a line each; nothing where nobody did."""
    said = [f"\nTags: {', '.join(tags)}\n"] if tags else []
    said += [f"\nNote {note.id} of {note.created:%Y-%m-%d}: {note.text}\n" for note in notes]
    return Text(printable("".join(said)))


def _plain_latency(setting: LatencySettingRecord, measured: list[LatencyRecord]) -> dict[str, Any]:
    first = measured[0]
    return {
        "setting": setting.id,
        "spec": setting.spec,
        "device": setting.device,
        "median_ms": first.median_ms,
        "disturbed": first.disturbed,
        "measured_for": first.measured_for,
        "times": len(measured),
        "figure": first.figure,
    }


def _latency_line(setting: LatencySettingRecord, measured: list[LatencyRecord]) -> str:
    first, spec = measured[0], setting.spec
    how = ", ".join(f"{name} {value}" for name, value in spec.items())
    figure = first.figure
    interval = f"{figure['low_ms']:.3g} – {figure['high_ms']:.3g}, n = {figure['n']}"
    quiet = ", while the machine was not quiet" if first.disturbed else ""
    return (
        f"\nLatency: {first.median_ms:.3g} ms ({interval}; measured "
        f"{count(len(measured), 'time')}, this one for {first.measured_for}{quiet}) on "
        f"{setting.device['name']}; {how}"
    )


def _kept(architecture: str, wanted: dict[str, StudyObjectives]) -> dict[str, bool | None]:
    """Whether the architecture keeps the measured bounds of each study that has some."""
    return {name: each.kept.get(architecture) for name, each in wanted.items() if each.bounds}


def _logs(store: Store, trials: list[TrialRecord]) -> dict[int, str]:
    """The files that tell how attempts broke off, by the ids of their trials, where there are."""
    records = {id_: store.studies.by_id(id_) for id_ in {trial.study_id for trial in trials}}
    files = {id_: Checkpoints.of(record, store.url) for id_, record in records.items()}
    found = {trial.id: files[trial.study_id].find_log(trial) for trial in trials}
    return {id_: str(log) for id_, log in found.items() if log is not None}


def _plain(
    record: ArchitectureRecord,
    trials: list[TrialRecord],
    curves: dict[int, list[EpochRecord]],
    took: dict[int, Measured],
    studies: dict[int, str],
    logs: dict[int, str],
) -> dict[str, Any]:
    owners: dict[int | None, str] = {trial.id: studies[trial.study_id] for trial in trials}
    return {
        "id": record.id,
        "architecture": with_current_names(json.loads(record.json), RENAMED, ""),
        "operators": record.operators,
        "params": record.params,
        "flops": record.macs,
        "mixers": [asdict(mixer) for mixer in record.mixers],
        "trials": [
            asdict(trial)
            | {"study": studies[trial.study_id], "source_study": owners.get(trial.source_trial_id)}
            | {"log": logs.get(trial.id)}
            | asdict(took[trial.id])
            | {"epochs": [asdict(epoch) for epoch in curves[trial.id]]}
            for trial in trials
        ],
    }


def _places(trials: list[TrialRecord], studies: dict[int, str]) -> dict[int, str]:
    """The number and study of each by its id; what one of them took over is among them."""
    return {trial.id: f"{trial.number} of study {studies[trial.study_id]}" for trial in trials}


def _print_network(console: Console, record: ArchitectureRecord) -> None:
    network = Architecture.from_json(record.json)
    head = (
        f"{record.id}  {record.operators}\n"
        f"{record.params:,} params · {short(record.macs)} FLOPs (multiply-accumulates for one "
        f"image; both computed) · {count(record.depth, 'block')} · "
        f"block type {record.block_type}"
    )
    console.print(Text(head))
    image = network.input
    stages = network.stages
    maps = [f"{size.height}×{size.width}" for size in network.stage_sizes()]
    labels = [
        "\n".join(mixer.label for mixer in record.mixers if mixer.stage == index)
        for index in range(len(stages))
    ]
    caption = (
        f"{image.channels}×{image.height}×{image.width} images · "
        f"stem {network.stem.label} · {count(network.head.classes, 'class')}".replace(
            "classs", "classes"
        )
    )
    columns = (
        Column("stage", [str(index + 1) for index in range(len(stages))], right=True),
        Column("map", maps, right=True, optional=1),
        Column("width", [str(stage.width) for stage in stages], right=True),
        Column("depth", [str(stage.depth) for stage in stages], right=True),
        Column("MLP ratio", [f"{s.mlp_ratio:g}" for s in stages], right=True, optional=2),
        Column("token mixers, block by block", labels, fold_to=_MIXERS_WIDTH),
    )
    console.print(FittedTable(columns, "Stages", caption))


def _print_trial(
    console: Console,
    trial: TrialRecord,
    curve: list[EpochRecord],
    places: dict[int, str],
    said: list[str],
) -> None:
    line = f"\nTrial {places[trial.id]}: {trial.state}"
    line += f" ({printable(trial.reason)})" if trial.reason else ""
    line += f" · from {trial.origin} · {duration(trial.seconds)} of training"
    seeds = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in trial.seeds.items())
    lines = [line, f"Seeds: {seeds}", *said]
    console.print(Text(printable("\n".join(lines))))
    if not curve:
        return
    rates = [NONE if e.learning_rate is None else f"{e.learning_rate:.2e}" for e in curve]
    seconds = [NONE if e.seconds is None else f"{e.seconds:.1f}" for e in curve]
    columns = (
        Column("epoch", [str(e.epoch) for e in curve], right=True),
        Column("accuracy", [percent(e.validation_accuracy) for e in curve], right=True),
        Column("validation loss", [_number(e.validation_loss) for e in curve], right=True),
        Column("train loss", [_number(e.train_loss) for e in curve], right=True, optional=1),
        Column("learning rate", rates, right=True, optional=2),
        Column("seconds", seconds, right=True, optional=3),
    )
    console.print(FittedTable(columns, f"Learning curve  {_spark(curve)}"))


def _history(trial: TrialRecord, places: dict[int, str]) -> list[str]:
    """What sets the trial apart from one that trained once, from scratch, in one go."""
    said = []
    if trial.repeat:
        said.append(f"repeat {trial.repeat}: other seeds than the study's first trial of it")
    if trial.source_trial_id is not None:
        source = f"trial {places[trial.source_trial_id]}"
        said.append(f"epochs, and their time of training, taken over from {source}, same protocol")
    if trial.inherited_along is not None:
        before = duration(trial.lineage_seconds)
        said.append(f"began with inherited weights ({trial.inherited_along}), {before} of training")
    if trial.continued:
        said.append(f"went on after it had ended ({count(trial.continued, 'time')})")
    return [f"History: {'; '.join(said)}"] if said else []


def _measured(took: Measured) -> list[str]:
    """What its training took, as far as it was noted."""
    said = []
    if took.images_per_second is not None:
        said.append(f"{took.images_per_second:,.0f} training images a second")
    if took.peak_memory_bytes is not None:
        said.append(f"at most {took.peak_memory_bytes / 2**20:,.0f} MiB of memory")
    if took.skipped_steps:
        said.append(f"{count(took.skipped_steps, 'step')} skipped as not finite")
    if took.fused_mixers:
        said.append(f"{count(took.fused_mixers, 'token mixer')} by fused kernels")
    return [f"Measured where it was trained: {'; '.join(said)}"] if said else []


def _number(value: float | None) -> str:
    return NONE if value is None else f"{value:.4f}"


def _spark(curve: list[EpochRecord]) -> str:
    """Validation accuracy as a row of bars, lowest to highest; digits where there are none."""
    bars = _BARS if stdout_can_carry(_BARS) else _DIGITS
    values = [e.validation_accuracy for e in curve if e.validation_accuracy is not None]
    if len(values) < 2:
        return ""
    low, high = min(values), max(values)
    scale = (len(bars) - 1) / (high - low) if high > low else 0.0
    return "".join(bars[round((value - low) * scale)] for value in values)
