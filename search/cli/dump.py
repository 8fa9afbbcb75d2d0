"""`dump`: all trials of a filter in a file, for a notebook or a spreadsheet; or whole studies."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from search.cli.options import store_option
from search.query import table_format, trial_table
from search.store import copy_studies, open_store, open_to_read
from space.cli.messages import printable
from space.errors import InputError, Problem, refuse
from space.input.paths import is_folder, is_there
from space.wording import count

if TYPE_CHECKING:
    from pandas import DataFrame


STORE_SUFFIX = ".db"


@click.command("dump")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE")
@click.option("--where", metavar="CLAUSE", help="Only trials that fulfil this clause.")
@click.option("--study", metavar="NAME", help="Only trials of this study.")
@click.option("--networks", is_flag=True, help="A last column with the JSON of each network.")
@store_option()
def command(file: Path, where: str | None, study: str | None, networks: bool, store: str) -> None:
    """Write all trials to FILE, a row each: as CSV or Parquet, by the ending of its name.

    With the ending .db it is a store of its own: whole studies, with epochs, runs and all else,
    and those on which they rest. `load` takes them into another store.

    \b
    Examples:
      python -m search dump trials.csv
      python -m search dump good.parquet --where "state = complete and params < 200k" --networks
      python -m search dump first.db --study first

    Every state is among them. Accuracies are of validation images, 0 to 1, and compare only where
    the column `protocol` is equal. The file is there whole, or not at all.
    """
    if file.suffix.lower() == STORE_SUFFIX:
        given = {"--where": where, "--networks": networks}
        message = f"is for tables; a {STORE_SUFFIX} file has whole studies (--study)"
        refuse(Problem(name, message) for name, value in given.items() if value)
        _dump_store(file, store, study)
        return
    written = _format(file)
    _refuse_no_folder(file)
    with open_to_read(store) as opened:
        table = trial_table(opened, where=where, study=study, networks=networks)
    _write(file, written(table))
    click.echo(f"{file}: {count(len(table), 'trial')}", err=True)


def _format(file: Path) -> Callable[["DataFrame"], bytes]:
    try:
        return table_format(file)
    except InputError as error:
        more = f"; or {STORE_SUFFIX}, for whole studies"
        raise InputError(Problem(p.where, p.message + more) for p in error.problems) from None


def _refuse_no_folder(file: Path) -> None:
    if not is_folder(file.parent):
        raise InputError.of("file", f"there is no folder {str(file.parent)!r}")


def _dump_store(file: Path, store: str, study: str | None) -> None:
    """Write a new store, whole or not at all; one that is there may be somebody's only one."""
    _refuse_no_folder(file)
    if is_there(file):
        raise InputError.of("file", f"{str(file)!r} is there; give another name, or remove it")
    partial = _partial(file)
    try:
        with open_to_read(store) as source, open_store(str(partial), create=True) as target:
            found = copy_studies(source, target, None if study is None else [study])
        partial.replace(file)
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            partial.with_name(partial.name + ending).unlink(missing_ok=True)
    named = ", ".join(f"{name} ({count(n, 'trial')})" for name, n in found.trials.items())
    click.echo(printable(f"{file}: {named or 'no study'}"), err=True)


def _partial(file: Path) -> Path:
    return file.with_name(f".{file.name}.{os.getpid()}.partial")


def _write(file: Path, content: bytes) -> None:
    """Write it whole, or leave what was there."""
    partial = _partial(file)
    try:
        partial.write_bytes(content)
        partial.replace(file)
    except OSError as error:
        partial.unlink(missing_ok=True)
        message = f"{str(file)!r} cannot be written: {error.strerror or error}"
        raise InputError.of("file", message) from None
