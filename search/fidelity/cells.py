"""The ledger in words: the cells of its tables, alike on the command line and in benchmarks."""

from collections.abc import Sequence

from search.fidelity.agreement import ENOUGH, Agreement
from search.fidelity.ceiling import Ceiling
from search.fidelity.ledger import LedgerRow
from search.fidelity.top_picks import TopPick
from space.wording import NONE, count

Cells = dict[str, list[str]]
"""A column's texts by its header, a text for each row."""


def agreement_cell(found: Agreement | None) -> str:
    """Such as "0.82 [0.81, 0.83]"; of too few points "– (n = 4)"."""
    if found is None:
        return ""
    if found.tau is None or found.low is None or found.high is None:
        return f"{NONE} (n = {found.n:,})"
    return _with_range(found.tau, found.low, found.high)


def rank_cells(rows: Sequence[LedgerRow]) -> Cells:
    """How far the orders agree: Kendall's tau with its 95 % interval."""
    return {
        "proxy": [row.proxy for row in rows],
        "cost": [_cost(row.cost) for row in rows],
        "n": [f"{row.n:,}" for row in rows],
        "τ [95%]": [agreement_cell(row.overall) for row in rows],
        "beats size": [_beats(row) for row in rows],
        "in the top tenth": [agreement_cell(row.top_decile) for row in rows],
        "within families": [agreement_cell(row.within) for row in rows],
        "between": [agreement_cell(row.between) for row in rows],
        "size taken out": [agreement_cell(row.without_size) for row in rows],
        "another seed": [agreement_cell(row.other_seed) for row in rows],
        "Spearman": [NONE if row.spearman is None else f"{row.spearman:.3f}" for row in rows],
        "tied pairs": [_ties(row.overall) for row in rows],
    }


def pick_cells(rows: Sequence[LedgerRow]) -> Cells:
    """What choosing by each costs: recall in %, regret in points, both with 95 % intervals."""
    found = [{pick.k: pick for pick in row.picks} for row in rows]
    cells = {"proxy": [row.proxy for row in rows]}
    cells["out of"] = [str(row.picks[0].of) if row.picks else NONE for row in rows]
    for k in sorted({k for picks in found for k in picks}):
        cells[f"recall at {k}"] = [_recall(picks.get(k)) for picks in found]
        cells[f"regret at {k}"] = [_regret(picks.get(k)) for picks in found]
    return cells


def ceiling_sentence(found: Ceiling) -> str:
    """What seeds allow, in words."""
    if found.perfect is not None and found.low is not None and found.high is not None:
        said = (
            f"Ceiling: two trainings of one architecture agree by τ "
            f"{agreement_cell(found.two_seeds)} (n = {found.n:,}), in the top tenth by "
            f"{agreement_cell(found.top_decile)}; a proxy that knew every mean would reach "
            f"{_with_range(found.perfect, found.low, found.high)}."
        )
        return f"{said} What is read from the same training shares its luck and may be above."
    few = f"{count(found.n, 'architecture')} trained with several seeds, and it takes {ENOUGH}"
    if found.perfect is None:
        return f"Ceiling: not known: {few} (`search repeat`)."
    return (
        f"Ceiling: {few}; by their standard deviation alone a proxy that knew every mean would "
        f"reach τ {found.perfect:.2f}."
    )


def _cost(cost: float | None) -> str:
    if cost is None:
        return NONE
    return f"{100 * cost:.3g}%" if cost else "0"


def _beats(row: LedgerRow) -> str:
    if row.over_size is None:
        return row.beats_size
    return f"{row.beats_size} ({round(row.over_size.difference, 2) + 0.0:+.2f})"


def _ties(found: Agreement) -> str:
    if found.tied is None or found.tied_full is None:
        return NONE
    return f"{100 * found.tied:.2g}% / {100 * found.tied_full:.2g}%"


def _recall(pick: TopPick | None) -> str:
    if pick is None:
        return NONE
    return _with_range(100 * pick.recall, 100 * pick.recall_low, 100 * pick.recall_high, 0)


def _regret(pick: TopPick | None) -> str:
    if pick is None:
        return NONE
    return _with_range(100 * pick.regret, 100 * pick.regret_low, 100 * pick.regret_high)


def _with_range(value: float, low: float, high: float, digits: int = 2) -> str:
    # Nothing is below zero by less than what is shown.
    one, *ends = (f"{round(each, digits) + 0.0:.{digits}f}" for each in (value, low, high))
    return f"{one} [{ends[0]}, {ends[1]}]"
