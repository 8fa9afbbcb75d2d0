"""The ledger in words."""

from dataclasses import replace

import numpy as np

from search.fidelity import Agreement, Ceiling, Proxy, ceiling, ledger
from search.fidelity.cells import agreement_cell, ceiling_sentence, pick_cells, rank_cells
from tests.fidelity.planted import pair, results


def test_an_agreement_that_is_not_told_says_of_how_few() -> None:
    assert agreement_cell(Agreement(4)) == "– (n = 4)"
    assert agreement_cell(None) == ""
    assert agreement_cell(Agreement(40, 0.123, -0.001, 0.256, 0.0, 0.0)) == "0.12 [0.00, 0.26]"


def test_every_column_has_a_cell_for_every_row() -> None:
    proxy, full = pair(0, 500, 0.8)
    some = np.where(np.arange(500) < 60, proxy, np.nan)
    rows = ledger(results(full), [Proxy("all", proxy, 0.0312), Proxy("some", some)], sets=100)
    for cells in (rank_cells(rows), pick_cells(rows)):
        assert {len(texts) for texts in cells.values()} == {4}
        assert cells["proxy"] == ["all", "some", "params", "macs"]
    ranks, picks = rank_cells(rows), pick_cells(rows)
    assert ranks["cost"] == ["3.12%", "–", "0", "0"]
    assert ranks["beats size"][0].startswith("yes (+0.6")
    assert ranks["in the top tenth"][1] == "– (n = 6)"
    assert ranks["tied pairs"][0] == "0% / 0%"
    # Sets are as large as a sample allows.
    assert picks["out of"] == ["100", "15", "100", "100"]
    assert picks["recall at 10"][1] == picks["regret at 10"][1] == "–"
    assert [name for name in picks if name.startswith("recall")] == [
        "recall at 1",
        "recall at 5",
        "recall at 10",
    ]


def test_recalls_are_in_percent_and_regrets_in_points() -> None:
    proxy, full = pair(0, 100, 0.8)
    (row,) = ledger(results(0.7 + 0.01 * full), [Proxy("a", proxy)], sets=200)[:1]
    pick = replace(
        row.picks[0],
        recall=0.5,
        recall_low=0.25,
        recall_high=0.754,
        regret=0.012,
        regret_low=0.004,
        regret_high=0.0301,
    )
    cells = pick_cells([replace(row, picks=(pick,))])
    assert cells["recall at 1"] == ["50 [25, 75]"]
    assert cells["regret at 1"] == ["1.20 [0.40, 3.01]"]


def test_the_ceiling_says_where_it_is_from() -> None:
    first, second = pair(0, 40, 0.9)
    nothing = np.full(40, np.nan)
    said = ceiling_sentence(ceiling(first, second))
    assert said.startswith("Ceiling: two trainings of one architecture agree by τ 0.")
    assert "(n = 40), in the top tenth by – (n = 4); a proxy that knew every mean" in said
    by_deviation = ceiling(first, nothing, deviation=0.1)
    assert isinstance(by_deviation, Ceiling)
    assert ceiling_sentence(by_deviation).startswith(
        "Ceiling: 0 architectures trained with several seeds, and it takes 10; by their standard "
        "deviation alone a proxy that knew every mean would reach τ 0.9"
    )
    assert ceiling_sentence(ceiling(first, nothing)) == (
        "Ceiling: not known: 0 architectures trained with several seeds, and it takes 10 "
        "(`search repeat`)."
    )
