"""The file of the tabular benchmark: what it holds, and who may read what."""

import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from benchmarks.table.card import figures, rank_correlation, write_figures, written_figures
from benchmarks.table.columns import TEST_COLUMN
from benchmarks.table.measure import Measured
from benchmarks.table.plan import EveryTypeFirst
from benchmarks.table.read import (
    TabularBenchmark,
    final_test_accuracy,
    longer_table,
    shipped_table,
)
from benchmarks.table.spec import FASHION_TABLE, TABLES, TableSpec
from space import InputError, cost
from tests.benchmarks.synthetic import LONG, trainings, write
from trainers import Protocol
from trainers.data.held_out_test import TestSplitLocked, lock_test_split


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    """Ten architectures with three seeds; one training failed in its third epoch."""
    found = trainings(list(LONG.space().enumerate())[::100][:10], seeds=(0, 1, 2))
    broken = replace(
        found[4],
        validation_accuracy=found[4].validation_accuracy[:2],
        train_loss=found[4].train_loss[:2],
        seconds=found[4].seconds[:2],
        test_accuracy=None,
        failure="train loss is nan in epoch 3, step 1",
    )
    return [*found[:4], broken, *found[5:]]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, measured: list[Measured]) -> Path:
    return write(tmp_path_factory.mktemp("table") / "table.parquet", measured)


def audit_into(entries: list[dict[str, Any]]) -> Any:
    return entries.append


def test_every_training_comes_back_as_it_was(path: Path, measured: list[Measured]) -> None:
    benchmark = TabularBenchmark(path)
    for one in measured:
        found = benchmark.trainings(one.architecture_id)[one.seed]
        for name in ("validation_accuracy", "train_loss", "seconds", "device", "failure"):
            assert getattr(found, name) == getattr(one, name)
        costs = cost(benchmark.architectures[one.architecture_id])
        known = {"params": costs.params, "macs": costs.macs}
        assert benchmark.known[one.architecture_id] == known
    assert sum(len(benchmark.trainings(name)) for name in benchmark.architectures) == 30


def test_a_failed_training_is_worth_nothing(path: Path, measured: list[Measured]) -> None:
    name = measured[4].architecture_id
    by_seed = TabularBenchmark(path).trainings(name)
    assert by_seed[1].accuracy == 0
    others = (by_seed[0].accuracy + by_seed[2].accuracy) / 3
    assert TabularBenchmark(path).mean_accuracy(name) == pytest.approx(others)


def test_the_file_tells_how_it_was_made(path: Path) -> None:
    said = TabularBenchmark(path).metadata
    protocol = LONG.bound_protocol()
    assert said["protocol"] == protocol.to_dict()
    assert said["protocol_hash"] == protocol.hash
    assert said["columns_for_the_final_test_only"] == [TEST_COLUMN]
    assert TEST_COLUMN not in said["columns_for_searchers"]
    assert said["trained_on"] == ["cpu"]
    assert TabularBenchmark(path).space().count() == LONG.space().count()
    codec = pyarrow.parquet.ParquetFile(path).metadata.row_group(0).column(0).compression
    assert codec == "ZSTD"


def test_of_two_trainings_of_the_same_the_older_counts(
    tmp_path: Path, measured: list[Measured]
) -> None:
    later = replace(measured[0], device="another")
    benchmark = TabularBenchmark(write(tmp_path / "table.parquet", [measured[0], later]))
    assert benchmark.trainings(later.architecture_id)[0].device == "cpu"


def test_an_architecture_of_another_space_is_refused(
    tmp_path: Path, measured: list[Measured]
) -> None:
    stranger = replace(measured[0], architecture_id="0123456789abcdef")
    with pytest.raises(InputError, match="0123456789abcdef"):
        write(tmp_path / "table.parquet", [stranger])
    assert not list(tmp_path.iterdir())


def test_another_protocol_is_refused(path: Path) -> None:
    TabularBenchmark(path, LONG.bound_protocol().hash)
    with pytest.raises(InputError, match="not under 0123456789abcdef"):
        TabularBenchmark(path, "0123456789abcdef")


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="make_table makes it"):
        TabularBenchmark(tmp_path / "missing.parquet")
    (tmp_path / "text").write_text("architecture_id,seed\n")
    with pytest.raises(InputError, match="not a Parquet file"):
        TabularBenchmark(tmp_path / "text")
    other = pyarrow.table({"a": [1]})
    pyarrow.parquet.write_table(other, tmp_path / "other.parquet")
    with pytest.raises(InputError, match="not a table of trainings"):
        TabularBenchmark(tmp_path / "other.parquet")


# The final test


@pytest.fixture(params=["synthetic", *TABLES])
def any_table(request: pytest.FixtureRequest, path: Path) -> Path:
    """A made-up table, and those that are shipped."""
    return path if request.param == "synthetic" else shipped_table(request.param)


def test_searchers_read_not_one_byte_of_the_test_column(any_table: Path, tmp_path: Path) -> None:
    """With the bytes of that column destroyed, all else reads the same and the final test fails."""
    path = any_table
    content = bytearray(path.read_bytes())
    group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    column = next(
        group.column(i)
        for i in range(group.num_columns)
        if group.column(i).path_in_schema == TEST_COLUMN
    )
    begin = column.dictionary_page_offset or column.data_page_offset
    size = column.total_compressed_size
    content[begin : begin + size] = b"\xff" * size
    damaged = tmp_path / "damaged.parquet"
    damaged.write_bytes(content)

    whole, rest = TabularBenchmark(path), TabularBenchmark(damaged)
    for name in whole.architectures:
        assert rest.trainings(name) == whole.trainings(name)
    with pytest.raises(OSError):
        final_test_accuracy(next(iter(whole.architectures)), audit_into([]), damaged)


def test_the_final_test_is_written_down_before_it_is_read(
    path: Path, measured: list[Measured]
) -> None:
    entries: list[dict[str, Any]] = []
    wanted = measured[3].architecture_id
    found = final_test_accuracy(wanted, audit_into(entries), path)
    assert found == {0: measured[3].test_accuracy, 1: None, 2: measured[5].test_accuracy}
    protocol_hash = LONG.bound_protocol().hash
    assert entries == [{"architecture_id": wanted, "protocol_hash": protocol_hash}]


def test_without_an_audit_there_is_no_final_test(path: Path, measured: list[Measured]) -> None:
    def refuse(entry: dict[str, Any]) -> None:
        raise PermissionError("the audit is closed")

    with pytest.raises(PermissionError, match="closed"):
        final_test_accuracy(measured[0].architecture_id, refuse, path)


def test_no_final_test_while_a_search_runs(any_table: Path) -> None:
    entries: list[dict[str, Any]] = []
    name = next(iter(TabularBenchmark(any_table).architectures))
    with lock_test_split(), pytest.raises(TestSplitLocked):
        final_test_accuracy(name, audit_into(entries), any_table)
    assert not entries


def test_an_unknown_architecture_has_no_final_test(path: Path) -> None:
    with pytest.raises(InputError, match="does not have 'nobody'"):
        final_test_accuracy("nobody", audit_into([]), path)


# The data card


@pytest.mark.parametrize("spec", TABLES.values(), ids=TABLES)
def test_the_card_has_the_numbers_of_the_table_that_is_shipped(spec: TableSpec) -> None:
    table = shipped_table(spec.name)
    assert written_figures(spec.card) == figures(table)
    assert table.stat().st_size < 10_000_000
    metadata = TabularBenchmark(table).metadata
    assert metadata["space"] == spec.space_file.read_text()
    made = metadata["protocol"] | {"content_hash": None, "split_hash": None}
    assert Protocol.from_dict(made) == spec.protocol


def test_numbers_are_counted_from_the_file(path: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    before = FASHION_TABLE.card.read_text()
    card.write_text(before)
    write_figures(card, path)
    write_figures(card, path)
    said = written_figures(card)
    assert "| architectures | 10 of 1,176 in the space |" in said
    assert "| trainings | 30 of " in said
    assert "| trainings that failed | 1 |" in said
    apart = card.read_text().replace(said, written_figures(FASHION_TABLE.card))
    assert apart == before


def test_a_card_that_is_not_there_is_made_of_the_figures(path: Path, tmp_path: Path) -> None:
    """It is written when all is trained: who names another file must not lose the command."""
    card = tmp_path / "new.md"
    write_figures(card, path)
    assert "| architectures | 10 of 1,176 in the space |" in written_figures(card)


def test_a_table_that_is_not_whole_says_so(
    measured: list[Measured], path: Path, tmp_path: Path
) -> None:
    planned = len(LONG.trainings())
    assert f"| trainings | 30 of {planned:,} planned |" in figures(path)
    few = EveryTypeFirst(repeated=0)
    space = list(LONG.space().enumerate())
    assert len(replace(LONG, plan=few).trainings()) == len(space)
    whole = write(tmp_path / "whole.parquet", trainings(space), replace(LONG, plan=few))
    assert f"| trainings | {len(space):,} |" in figures(whole)


def test_the_card_tells_how_well_the_order_is_that_of_longer_trainings(
    path: Path, measured: list[Measured], tmp_path: Path
) -> None:
    table = shutil.copy(path, tmp_path / "table.parquet")
    assert "longer" not in figures(table)
    firsts = [one for one in measured if one.seed == 0]
    longer = [
        replace(
            one, validation_accuracy=tuple(a**2 - 0.01 * (i % 3) for a in one.validation_accuracy)
        )
        for i, one in enumerate(firsts)
    ]
    write(longer_table(table), longer)
    pairs = np.array(
        [
            [a.validation_accuracy[-1], b.validation_accuracy[-1]]
            for a, b in zip(firsts, longer, strict=True)
        ]
    )
    row = next(line for line in figures(table).splitlines() if "10 architectures" in line)
    value, low, high = map(float, re.findall(r"\d\.\d{3}", row))
    places = [column.argsort().argsort() for column in pairs.T]
    assert value == pytest.approx(np.corrcoef(*places)[0, 1], abs=6e-4)
    assert low < value < high


def test_rank_correlation_takes_mean_ranks_of_ties() -> None:
    one, other = np.array([1.0, 2.0, 2.0, 3.0]), np.array([10.0, 30.0, 20.0, 40.0])
    # Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: Pearson's correlation of them by hand.
    assert rank_correlation(one, other) == pytest.approx(4.5 / (4.5 * 5.0) ** 0.5)
    assert rank_correlation(one, -one) == pytest.approx(-1)
