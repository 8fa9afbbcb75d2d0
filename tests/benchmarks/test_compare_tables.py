"""Two tables side by side, held to shifts that were put in."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compare_tables import compare, main, rows
from benchmarks.table.measure import Measured
from benchmarks.table.read import TabularBenchmark
from space import Architecture, InputError
from space.architecture import LAYER_SCALE
from tests.benchmarks.synthetic import LONG, trainings, write


def _less(architecture: Architecture) -> float:
    """What the older rules take away."""
    convnext = architecture.block_type == "convnext"
    return 0.10 * convnext + 0.05 * bool(architecture.stages[0].mixers[0].position_bias)


def _older(architecture: Architecture, measured: Measured) -> Measured:
    """The same training under older rules, in which the network had another id."""
    older = replace(architecture, layer_scale=LAYER_SCALE)
    curve = tuple(value - _less(architecture) for value in measured.validation_accuracy)
    return replace(measured, architecture_id=older.id, validation_accuracy=curve)


def _belongs(architecture: Architecture, group: str) -> bool:
    if group.startswith("block type "):
        return group == f"block type {architecture.block_type}"
    return group == "all" or bool(architecture.stages[0].mixers[0].position_bias)


@pytest.fixture(scope="module")
def chosen() -> list[Architecture]:
    return list(LONG.space().enumerate())[::7]


@pytest.fixture(scope="module")
def tables(chosen: list[Architecture], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("tables")
    after = trainings(chosen)
    before = [_older(a, one) for a, one in zip(chosen, after, strict=True)]
    old = replace(LONG, space_file=folder / "old.yaml")
    text = LONG.space_file.read_text()
    old.space_file.write_text(re.sub(r"(?m)^layer_scale:.*$", "", text))
    return [
        write(folder / "before.parquet", before, old),
        write(folder / "after.parquet", after),
    ]


def test_every_group_moves_by_what_was_put_in(
    chosen: list[Architecture], tables: list[Path]
) -> None:
    compared = compare(*map(TabularBenchmark, tables))
    assert len(compared.architectures) == len(chosen)
    found = {row[0]: row for row in rows(compared)}
    assert len(found) == 5
    for name in found:
        own = [a for a in chosen if _belongs(a, name)]
        shift = np.mean([100 * _less(architecture) for architecture in own])
        assert found[name][1] == str(len(own))
        assert float(found[name][4].split()[0]) == pytest.approx(shift, abs=0.006)
    places = {name: float(row[5].split()[0]) for name, row in found.items()}
    assert places["all"] == pytest.approx(0, abs=0.05)
    assert places["block type convnext"] > 0 > places["block type conv"]


def test_the_command_prints_rows_and_the_rank_correlation(
    tables: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    main(list(map(str, tables)))
    printed = capsys.readouterr().out
    assert "| block type prenorm" in printed
    value, low, high = map(float, re.findall(r"\d\.\d{3}", printed.splitlines()[-1]))
    assert low < value < high < 1


def test_tables_without_common_networks_are_refused(
    chosen: list[Architecture], tables: list[Path], tmp_path: Path
) -> None:
    other = [a for a in LONG.space().enumerate() if a not in set(chosen)][:5]
    apart = write(tmp_path / "apart.parquet", trainings(other))
    with pytest.raises(InputError, match="0 networks are in both"):
        compare(TabularBenchmark(tables[0]), TabularBenchmark(apart))
    with pytest.raises(SystemExit, match="there is no file"):
        main([str(tmp_path / "none.parquet")])
