"""The SQL that is printed is what gives the answer: the database's own driver runs it."""

import json
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from sqlalchemy import Connection

from search.cli.program import run_program
from search.query import BestRow, Statement, best_by_protocol, best_statements
from search.store import Store, open_store
from space.errors import InputError
from tests.query.strategies import clauses
from tests.query.test_where_compiled import PROTOCOLS, Filled, filled
from tests.support.samples import add_study, architecture, begin_run, complete_trial

__all__ = ["filled"]


def run_by_the_driver(store: Store, statement: Statement) -> list[str]:
    """The ids of the architectures that the statement gives, without SQLAlchemy."""

    def work(connection: Connection) -> list[str]:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        cursor = driver.cursor()
        cursor.execute(statement.sql, dict(statement.parameters))
        named = [column[0] for column in cursor.description or ()]
        assert len(named) == len(fields(BestRow))
        return [row[named.index("architecture_id")] for row in cursor.fetchall()]

    return store.read(work)


@settings(max_examples=15)
@given(text=clauses())
def test_the_driver_gives_what_best_gives(filled: Filled, text: str) -> None:
    store, _ = filled
    for arguments in ({}, {"study": "third one", "sort": "params", "top": 3}):
        groups = best_by_protocol(store, where=text, **arguments)  # type: ignore[arg-type]
        statements = best_statements(store, where=text, **arguments)  # type: ignore[arg-type]
        if not groups:
            (alone,) = statements
            assert alone.protocol_hash is None
            assert run_by_the_driver(store, alone) == []
            continue
        for group, statement in zip(groups, statements, strict=True):
            assert statement.protocol_hash == group.protocol.hash
            expected = [row.architecture_id for row in group.rows]
            assert run_by_the_driver(store, statement) == expected


def test_values_are_bound_and_never_part_of_the_text(filled: Filled) -> None:
    store, _ = filled
    text = 'study = "x\' or 1=1" or params < 54321 or date > 2026-11-01 or state = pruned'
    for statement in best_statements(store, where=text):
        assert "1=1" not in statement.sql
        assert "54321" not in statement.sql
        assert {"x' or 1=1", 54321.0, "pruned"} <= set(statement.parameters.values())
        assert statement.protocol_hash in PROTOCOLS.values()


def test_what_best_refuses_is_refused(filled: Filled) -> None:
    with pytest.raises(InputError, match="unknown field 'colour'"):
        best_statements(filled[0], where="colour = red")


def test_the_command_prints_them_for_people_and_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(tmp_path / "store.db")
    with open_store(place, create=True) as store:
        study = add_study(store)
        complete_trial(store, study.id, begin_run(store, study.id).id, 1, 0.5)
    asked = ["best", "--where", "params < 1M", "--explain", "--store", place]
    assert run_program(asked) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"-- sqlite, protocol {study.protocol_hash}\nWITH ")
    assert " = 1000000.0\n--   " in text
    assert run_program([*asked, "--json"]) == 0
    (plain,) = json.loads(capsys.readouterr().out)
    assert plain["sql"] in text
    assert run_by_the_driver(store, Statement(**plain)) == [architecture(1).id]


def test_what_is_no_statement_is_not_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is a store made by asking."""
    place = ["--store", str(tmp_path / "none.db")]
    others = ["--pareto", "--plot", str(tmp_path / "a.svg")]
    assert run_program(["best", "--explain", "--study", "s", *others, *place]) == 2
    said = capsys.readouterr().err
    assert "--pareto: does not go with --explain" in said
    assert "--plot: does not go with --explain" in said
    assert run_program(["best", "--explain", *place]) == 2
    assert list(tmp_path.iterdir()) == []
