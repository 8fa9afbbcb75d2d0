"""Statements as people and programs read them: `best --explain`."""

from collections.abc import Sequence
from dataclasses import asdict

import click

from search.query import Statement
from space.cli.commands import print_json


def print_statements(statements: Sequence[Statement], as_json: bool) -> None:
    """Print the SQL of statements with the values that are bound into it."""
    if as_json:
        print_json([asdict(each) for each in statements])
        return
    click.echo("\n\n".join(map(_words, statements)))


def _words(statement: Statement) -> str:
    """Text that a database's shell takes: what is no SQL stands in comments."""
    of = "" if statement.protocol_hash is None else f", protocol {statement.protocol_hash}"
    lines = [f"-- {statement.dialect}{of}", f"{statement.sql};"]
    values = (f"--   {name} = {value!r}" for name, value in statement.parameters.items())
    return "\n".join([*lines, "-- with", *values])
