"""The fidelity ledger of a study as a table of pandas."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from search.fidelity import Agreement, LedgerRow
from search.query import StudyFidelity

if TYPE_CHECKING:
    from pandas import DataFrame

AGREEMENTS: Mapping[str, str] = {
    "tau": "overall",
    "top_tenth": "top_decile",
    "within_families": "within",
    "between_families": "between",
    "without_size": "without_size",
    "other_seed": "other_seed",
}
"""Columns of Kendall's tau-b by the parts of a row, with `_low`, `_high` and `_n` beside each."""


def fidelity_dataframe(found: StudyFidelity) -> "DataFrame":
    """One row a proxy; params and MACs are the last. What is not told is missing.

    `attrs` has what the rows are held to (`full`), the `ceiling` that seeds set, and `notes`.
    """
    import pandas as pd  # heavy, and of no use to who asks for something else

    table = pd.DataFrame([_row(row) for row in found.rows])
    ceiling = asdict(found.ceiling)
    table.attrs = {"full": found.full, "ceiling": ceiling, "notes": list(found.notes)}
    return table


def _row(row: LedgerRow) -> dict[str, Any]:
    values: dict[str, Any] = {"proxy": row.proxy, "cost": row.cost, "n": row.n}
    for column, part in AGREEMENTS.items():
        values |= _agreement(column, getattr(row, part))
    values |= {"spearman": row.spearman, "beats_size": row.beats_size}
    for name in ("difference", "low", "high"):
        over = None if row.over_size is None else getattr(row.over_size, name)
        values["over_size" if name == "difference" else f"over_size_{name}"] = over
    values |= {"tied": row.overall.tied, "tied_full": row.overall.tied_full}
    for pick in row.picks:
        for name in ("recall", "regret"):
            for end in ("", "_low", "_high"):
                values[f"{name}_{pick.k}_of_{pick.of}{end}"] = getattr(pick, name + end)
    return values


def _agreement(column: str, found: Agreement | None) -> dict[str, Any]:
    told = found or Agreement(0)
    ends = {f"{column}_low": told.low, f"{column}_high": told.high}
    return {column: told.tau, **ends, f"{column}_n": None if found is None else told.n}
