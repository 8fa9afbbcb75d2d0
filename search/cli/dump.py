"""`dump`: all trials of a filter in a file, for a notebook or a spreadsheet."""

import os
from pathlib import Path

import click

from search.cli.options import store_option
from search.query import table_format, trial_table
from search.store import open_to_read
from space.errors import InputError
from space.input.paths import is_folder
from space.wording import count


@click.command("dump")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--where", metavar="CLAUSE", help="Only trials that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only trials of this study.")
@click.option("--networks", is_flag=True, help="A last column with the JSON of each network.")
@store_option()
def command(file: Path, where: str | None, study: str | None, networks: bool, store: str) -> None:
    """Write all trials to FILE, a row each: as CSV or Parquet, by the ending of its name.

    \b
    Examples:
      python -m search dump trials.csv
      python -m search dump good.parquet --where "state = complete and params < 200k" --networks

    Every state is among them. Accuracies are of validation images, 0 to 1, and compare only where
    the column `protocol` is equal. The file is there whole, or not at all.
    """
    written = table_format(file)
    if not is_folder(file.parent):
        raise InputError.of("file", f"there is no folder {str(file.parent)!r}")
    with open_to_read(store) as opened:
        table = trial_table(opened, where=where, study=study, networks=networks)
    _write(file, written(table))
    click.echo(f"{file}: {count(len(table), 'trial')}", err=True)


def _write(file: Path, content: bytes) -> None:
    """Write it whole, or leave what was there."""
    partial = file.with_name(f".{file.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        message = f"{str(file)!r} cannot be written: {error.strerror or error}"
        raise InputError.of("file", message) from None
