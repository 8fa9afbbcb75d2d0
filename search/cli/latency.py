"""`latency`: tables of parts of a device, predictions, and measurements of networks."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from search.cli.options import set_option, store_option
from search.config import load_config
from search.config.latency import LatencyConfig
from search.driver.latency_check import (
    PROMISE,
    Checked,
    check,
    of_ids,
    of_study,
    prediction_error,
)
from search.driver.latency_machine import measured_again, with_place
from search.driver.latency_plan import start_meter
from search.driver.latency_table import BuiltTable, build_table, stored_table
from search.exit_code import ExitCode
from search.store import LatencySettingRecord, Store, open_store, open_to_read
from space import DesignSpace
from space.cli.commands import PathType, json_option, print_json
from space.cli.output import stdout_console
from space.cli.tables import Column, FittedTable
from space.errors import InputError
from space.input.plain_files import read_yaml
from space.input.shipped import file_or_shipped, is_name, names_of
from space.wording import NONE, count
from trainers.latency import (
    DeviceIdentity,
    Latency,
    LatencySpec,
    Measures,
    PartTable,
    cautions,
    refuse_missing,
)


@click.group("latency", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Measure how long networks take on a device, and predict it.

    \b
    Examples:
      python -m search latency build fashion-quickstart --runtime onnxruntime
      python -m search latency show
      python -m search latency check quickstart

    A search with a limit (`latency: {device: cpu, at_most: 5 ms}`) builds what it needs by itself.
    """


def _say(text: str) -> None:
    click.echo(text, err=True)


@command.command("build")
@click.argument("source", type=PathType(), metavar="CONFIG|SPACE")
@click.option("--device", help="cpu, cuda or cuda:N.  [default: cpu]")
@click.option("--batch", type=int, help="Images at once.  [default: 1]")
@click.option("--precision", help="float32, bfloat16 or float16.  [default: float32]")
@click.option("--runtime", help="eager, compile or onnxruntime.  [default: eager]")
@click.option("--threads", type=int, help="Of a CPU.  [default: 1]")
@click.option("--machine", metavar="NAME", help="Where two say the same of themselves.")
@click.option("--at-most", metavar="TIME", help="A limit near which the error is told.")
@click.option("--parts", type=int, help="Measure so many parts at most.  [default: 400]")
@click.option("--networks", type=int, help="Measure so many whole networks.  [default: 15]")
@click.option("--again", is_flag=True, help="Measure what the machine disturbed once more.")
@click.option("--from", "taken", type=PathType(), metavar="FILE", help="Take in a table first.")
@click.option("--out", type=PathType(), metavar="FILE", help="Write the table to a JSON file.")
@set_option("Change a field of the configuration; VALUE is YAML.")
@store_option(default=None)
@json_option
def build_command(
    source: Path,
    again: bool,
    taken: Path | None,
    out: Path | None,
    overrides: tuple[str, ...],
    store: str | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Measure the parts of a space on this machine, and fit a line that predicts whole networks.

    CONFIG is a configuration with a section latency, SPACE a space alone, whose device and so on
    the options say. What the store has already is not measured again. A table of another machine
    (--from) is refused unless device, driver, versions, threads and all else are the same.

    \b
    Examples:
      python -m search latency build fashion-quickstart --threads 2
      python -m search latency build my-search.yaml --out table.json
    """
    space, wanted, place = _wanted(source, overrides, store, options)
    limit = wanted.at_most
    refuse_missing(wanted.spec)  # before a process is started to say so
    for caution in cautions(wanted.spec):
        _say(f"Latency: {caution}.")
    with open_store(place, create=True) as opened:
        meter = start_meter(wanted.spec, None, space.plugins)
        try:
            if taken is not None:
                _take_in(opened, wanted.spec, meter, taken)
            built = build_table(opened, space, wanted, limit, meter, _say, again=again)
        finally:
            meter.close()
    if out is not None:
        built.table.save(out)
        _say(f"{out}: {count(len(built.table.figures), 'part')}.")
    _print_built(built, as_json)


def _wanted(
    source: Path, overrides: Sequence[str], store: str | None, options: dict[str, Any]
) -> tuple[DesignSpace, LatencyConfig, str]:
    """The space, what is wanted of latency, and the store."""
    given = {name: value for name, value in options.items() if value is not None}
    shipped = is_name(source) and source.name in names_of("space")
    if not shipped:
        values = read_yaml(file_or_shipped(source, "configuration", "CONFIG|SPACE"))
        if isinstance(values, dict) and "space" in values:
            config = load_config(source, overrides=overrides, store=store)
            own = config.latency.model_dump(exclude_none=True) if config.latency else {}
            bounds = config.parsed_objectives.constraints
            limit = next((each.upper for each in bounds if each.name == "latency"), None)
            own |= {} if limit is None else {"at_most": limit}
            wanted = LatencyConfig.from_dict(_merged(own, given))
            return config.search_space, wanted, config.store
    if overrides:
        raise InputError.of("--set", "changes a configuration; of a space the options say all")
    place = store if store is not None else "mixspace.db"
    return DesignSpace.from_yaml(source), LatencyConfig.from_dict(given), place


def _merged(own: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The options before the configuration; threads go with the CPU alone."""
    merged = own | given
    if merged.get("device", "cpu") != "cpu" and "threads" not in given:
        merged.pop("threads", None)
    return merged


def _take_in(store: Store, spec: LatencySpec, meter: Measures, file: Path) -> None:
    other, device = PartTable.load(file), meter.device
    table, _ = stored_table(store, spec, device)
    known = {*table.figures}
    number = table.take_in(other, str(file))
    again = measured_again(other, meter)
    if again is not None:
        again.refuse(_say, str(file))
    keep = with_place if again is not None and again.is_sure else Latency.to_dict
    store.latencies.add_setting(table.setting, spec.to_dict(), device.to_dict())
    for part, figure in table.figures.items():
        if part not in known:
            store.latencies.add_part(table.setting, part.id, part.to_dict(), keep(figure))
    _say(f"{file}: {count(number, 'part')} taken in.")


def _print_built(built: BuiltTable, as_json: bool) -> None:
    table, total = built.table, built.parts_of_space
    disturbed = sum(not figure.quiet for figure in table.figures.values())
    if as_json:
        print_json(
            {
                "setting": table.setting,
                "spec": table.spec.to_dict(),
                "device": table.device.to_dict(),
                "parts": len(table.figures),
                "parts_of_space": total,
                "disturbed": disturbed,
                "predictor": built.predictor.to_dict(),
            }
        )
        return
    click.echo(f"{table.setting}: {table.device.words}; {table.spec.words}")
    of_all = "" if total is None else f" (the space has {total:,})"
    click.echo(f"{count(len(table.figures), 'part')}{of_all}, {disturbed:,} of them disturbed")
    click.echo(built.predictor.words)


@command.command("show")
@click.argument("setting", required=False)
@click.option("--out", type=PathType(), metavar="FILE", help="Write the table to a JSON file.")
@store_option()
@json_option
def show_command(setting: str | None, out: Path | None, store: str, as_json: bool) -> None:
    """List the devices and settings that the store has figures of, or the parts of one SETTING.

    \b
    Examples:
      python -m search latency show
      python -m search latency show 3f09 --out table.json
    """
    with open_to_read(store) as opened:
        if setting is None:
            if out is not None:
                raise InputError.of("--out", "writes the table of one setting: name it")
            _print_settings(opened.latencies.settings(), as_json)
            return
        found = opened.latencies.setting(setting)
        device = DeviceIdentity.from_dict(found.device)
        table, _ = stored_table(opened, LatencySpec.from_dict(found.spec), device)
        predictors = opened.latencies.predictors(found.id)
    if out is not None:
        table.save(out)
        _say(f"{out}: {count(len(table.figures), 'part')}.")
    if as_json:
        print_json(table.to_dict() | {"setting": found.id, "predictors": predictors})
        return
    stdout_console().print(_parts_table(table))
    for predictor in predictors:
        click.echo(_predictor_line(predictor), err=True)


def _print_settings(settings: Sequence[LatencySettingRecord], as_json: bool) -> None:
    if as_json:
        names = ("id", "created", "spec", "device", "parts", "networks")
        print_json([{name: getattr(each, name) for name in names} for each in settings])
    elif not settings:
        _say("The store has no latency yet; `python -m search latency build SPACE` measures some.")
    else:
        stdout_console().print(_settings_table(settings))


def _settings_table(settings: Sequence[LatencySettingRecord]) -> FittedTable:
    specs = [LatencySpec.from_dict(each.spec) for each in settings]
    devices = [DeviceIdentity.from_dict(each.device) for each in settings]
    return FittedTable(
        (
            Column("setting", [each.id for each in settings]),
            Column("how", [f"{spec.device}, {spec.words}" for spec in specs], fold_to=20),
            Column("parts", [f"{each.parts:,}" for each in settings], right=True),
            Column("networks", [f"{each.networks:,}" for each in settings], right=True),
            Column("device", [each.words for each in devices], optional=1, fold_to=30),
        )
    )


def _parts_table(table: PartTable) -> FittedTable:
    figures = sorted(table.figures.items(), key=lambda each: -each[1].median_ms)
    return FittedTable(
        (
            Column("part", [part.words for part, _ in figures], fold_to=30),
            Column("median, ms", [f"{f.median_ms:.4g}" for _, f in figures], right=True),
            Column(
                "95% interval",
                [f"{f.low_ms:.4g} – {f.high_ms:.4g}" for _, f in figures],
                optional=2,
            ),
            Column("n", [str(f.n) for _, f in figures], right=True, optional=3),
            Column("disturbed", ["" if f.quiet else "yes" for _, f in figures], optional=1),
        ),
        f"{table.device.words}; {table.spec.words}",
    )


def _predictor_line(kept: dict[str, Any]) -> str:
    line, error = kept["line"], kept["line"]["error"]
    limit = "" if kept["limit_ms"] is None else f" near {kept['limit_ms']:g} ms"
    return (
        f"Space {kept['space']}{limit}: {line['intercept_ms']:.3g} ms + {line['slope']:.3f} × sum, "
        f"fitted on {line['fitted_on']} networks; error median {error['median']:.1%}, largest "
        f"{error['largest']:.1%}, on {error['n']} held-out ones"
    )


@command.command("check")
@click.argument("what", nargs=-1, required=True, metavar="STUDY|ARCHITECTURE...")
@click.option("--setting", metavar="ID", help="For architectures: in which setting.")
@click.option("--top", default=10, show_default=True, type=click.IntRange(1, 10_000))
@store_option()
@json_option
def check_command(
    what: tuple[str, ...], setting: str | None, top: int, store: str, as_json: bool
) -> int:
    """Measure networks again, in a new process, beside what the store has of them.

    Of a study the best that keep its limit. The figures go into the store. Exit code 1: a network
    is above the limit by more than 5 %.

    \b
    Examples:
      python -m search latency check quickstart
      python -m search latency check 9bd8eb3a e738ad67 --setting 3f09
    """
    with open_store(store, create=False) as opened:
        if len(what) == 1 and opened.studies.exists(what[0]):
            if setting is not None:
                raise InputError.of("--setting", "a study has its own")
            asked = of_study(opened, opened.studies.get(what[0]), top)
        else:
            asked = of_ids(opened, what, setting)
        _say(f"Latency: measuring {count(len(asked.networks), 'network')} in a new process ...")
        found = check(opened, asked)
    if as_json:
        print_json([each.plain() for each in found])
    else:
        stdout_console().print(_checked_table(found))
        for said in _verdicts(found):
            _say(said)
    broken = any(each.kept is False for each in found)
    return int(ExitCode.FAILED if broken else ExitCode.DONE)


def _checked_table(found: Sequence[Checked]) -> FittedTable:
    def times(values: Sequence[float | None]) -> list[str]:
        return [NONE if value is None else f"{value:.4g}" for value in values]

    def shares(values: Sequence[float | None]) -> list[str]:
        return [NONE if value is None else f"{value:+.1%}" for value in values]

    stored = [None if each.stored is None else each.stored.median_ms for each in found]
    now = [each.now for each in found]
    return FittedTable(
        (
            Column("architecture", [each.architecture_id for each in found]),
            Column("predicted, ms", times([each.predicted for each in found]), True, 2),
            Column("stored, ms", times(stored), right=True),
            Column("now, ms", times([each.median_ms for each in now]), right=True),
            Column("95% interval", [f"{f.low_ms:.4g} – {f.high_ms:.4g}" for f in now], optional=3),
            Column("change", shares([each.change for each in found]), right=True),
            Column("above limit", shares([each.above for each in found]), right=True),
            Column("disturbed", ["" if f.quiet else "yes" for f in now], optional=1),
        )
    )


def _verdicts(found: Sequence[Checked]) -> list[str]:
    said = [f"{each.architecture_id}: {'; '.join(each.now.reasons)}" for each in found]
    said = [line for line, each in zip(said, found, strict=True) if not each.now.quiet]
    error = prediction_error(found)
    if error is not None:
        said.append(f"Predictions: {error.words.replace('held-out', 'measured')}.")
    limited = [each for each in found if each.kept is not None]
    if limited:
        kept = sum(each.kept is True for each in limited)
        said.append(
            f"{kept} of {count(len(limited), 'network')} are within the limit and {PROMISE:.0%}."
        )
    return said
