"""The ledger of a table: held to SciPy, to what was put in, and to what the pages print of it."""

import json
import math
import re
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr

from benchmarks.fidelity import main, of_longer, of_survivors
from benchmarks.proxies.table_ledger import (
    fair_sample,
    finished,
    full_results,
    of_epochs,
    of_some,
    survivors,
)
from benchmarks.table.read import TABLE, TabularBenchmark, longer_table
from search.fidelity import agreement
from search.fidelity.ceiling import in_top_decile
from search.fidelity.cells import agreement_cell
from tests.benchmarks.synthetic import LONG, trainings, write

README = Path(__file__).parents[2] / "benchmarks" / "README.md"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of forty architectures with two seeds each, and of a dozen trained for longer."""
    folder = tmp_path_factory.mktemp("table")
    chosen = list(islice(LONG.space().enumerate(), 0, 400, 10))
    path = write(folder / "table.parquet", trainings(chosen, seeds=(0, 1)))
    write(longer_table(path), trainings(chosen[::3]))
    return path


def test_a_ledger_of_a_table_is_printed(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--table", str(table), "--sets", "100", "--json"])
    found = json.loads(capsys.readouterr().out)
    benchmark = TabularBenchmark(table)
    firsts = [benchmark.trainings(id_)[0] for id_ in benchmark.architectures]
    curves = np.array([each.validation_accuracy for each in firsts])
    rows = {row["proxy"]: row for row in found["table"]}
    for epoch in (1, 3, 8):
        row = rows[f"accuracy after {epoch} epoch{'s' * (epoch > 1)}"]
        one, last = curves[:, epoch - 1], curves[:, -1]
        assert row["overall"]["tau"] == pytest.approx(kendalltau(one, last).statistic)
        assert row["spearman"] == pytest.approx(spearmanr(one, last).statistic)
        assert row["n"] == row["other_seed"]["n"] == len(firsts) == 40
    pairs = [
        [each.accuracy for each in benchmark.trainings(i).values()] for i in finished(benchmark)
    ]
    assert found["ceiling"]["two_seeds"]["tau"] == pytest.approx(
        kendalltau(*np.array(pairs).T).statistic
    )
    main(["--table", str(table), "--sets", "100"])
    text = capsys.readouterr().out
    assert "**Kendall's τ with full trainings of 9 epochs**" in text
    assert "| accuracy after 3 epochs" in text
    assert "Among the 4 that successive halving by thirds leaves" in text
    with pytest.raises(SystemExit, match="error: table: there is no file"):
        main(["--table", str(table.with_name("gone"))])


def test_what_is_measured_of_a_sample_counts_there(table: Path) -> None:
    benchmark = TabularBenchmark(table)
    ids = finished(benchmark)
    chosen = fair_sample(ids, 10)
    assert chosen == fair_sample(ids[::-1], 20)[:10]
    proxy = of_some(
        benchmark,
        ids,
        "a",
        dict.fromkeys(chosen, 0.5),
        {id_: benchmark.seconds(id_) for id_ in ids},
    )
    assert [id_ for id_, value in zip(ids, proxy.values, strict=True) if not math.isnan(value)] == (
        [id_ for id_ in ids if id_ in chosen]
    )
    assert proxy.cost == pytest.approx(1)


def test_survivors_are_those_that_no_rung_stops(table: Path) -> None:
    benchmark = TabularBenchmark(table)
    ids = finished(benchmark)
    curves = {id_: benchmark.trainings(id_)[0].validation_accuracy for id_ in ids}
    first = sorted(ids, key=lambda id_: -curves[id_][0])[: len(ids) // 3]
    second = sorted(first, key=lambda id_: -curves[id_][2])[: len(first) // 3]
    assert survivors(benchmark, ids) == second


# --- the table that comes with the project --------------------------------------------------------


@pytest.fixture(scope="module")
def shipped() -> TabularBenchmark:
    return TabularBenchmark(TABLE)


def test_the_page_prints_what_the_table_says(shipped: TabularBenchmark) -> None:
    ids = finished(shipped)
    results = full_results(shipped, ids)
    proxies = {each.name: each for each in of_epochs(shipped, ids)}
    lines = README.read_text().partition("## Fidelity")[2].splitlines()
    for name in ("accuracy after 1 epoch", "accuracy after 3 epochs", "accuracy after 8 epochs"):
        values, best = proxies[name].values, in_top_decile(results.accuracy)
        cells = [cell.strip() for cell in next(x for x in lines if f"| {name} " in x).split("|")]
        assert agreement_cell(agreement(values, results.accuracy)) in cells, name
        assert agreement_cell(agreement(values[best], results.accuracy[best])) in cells, name


def test_the_pages_figures_of_epoch_3_are_those_of_the_table(shipped: TabularBenchmark) -> None:
    ids = finished(shipped)
    results = full_results(shipped, ids).accuracy
    values = next(p.values for p in of_epochs(shipped, ids) if p.name == "accuracy after 3 epochs")
    best = in_top_decile(results)
    said = [spearmanr(values[each], results[each]).statistic for each in (results > 0, best)]
    text = " ".join(README.read_text().partition("## Fidelity")[2].split())
    told = re.search(r"has Spearman (0\.\d+) overall and (0\.\d+) within the top tenth", text)
    assert told is not None
    assert [float(each) for each in told.groups()] == [round(float(each), 3) for each in said]


def test_survivors_agree_less_than_all_do(shipped: TabularBenchmark) -> None:
    """What the notes of `search fidelity` say of trials that were stopped early."""
    ids = finished(shipped)
    results = full_results(shipped, ids).accuracy
    left = {row.proxy: row.overall.tau for row in of_survivors(shipped)}
    for rung in of_epochs(shipped, ids):
        if rung.name in left:
            every, survived = agreement(rung.values, results).tau, left[rung.name]
            assert every is not None
            assert survived is not None
            assert survived < every - 0.2
    assert len(left) == 2


def test_the_table_is_a_proxy_of_longer_trainings(shipped: TabularBenchmark) -> None:
    rows = {
        row.proxy: row
        for row in of_longer(shipped, TabularBenchmark(longer_table(TABLE)), sets=100)
    }
    last = rows["accuracy after 9 epochs"]
    assert last.n == 74
    assert last.spearman == pytest.approx(0.954, abs=5e-4)  # as the data card has it
    assert last.beats_size == "yes"
    assert last.cost == pytest.approx(0.25, abs=0.05)
    assert rows["accuracy after 1 epoch"].beats_size == "no"
