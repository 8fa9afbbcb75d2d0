"""The leaderboard's rows, for the pages that show what it shows."""

from dataclasses import replace

from dashboard.reads.remember import remembered
from dashboard.view import View
from search.query import BestRow, best


def leaderboard(view: View, sort: str, top: int) -> list[BestRow]:
    """The first rows of the filter, in an order of `best`."""

    def read() -> list[BestRow]:
        where = view.where or None
        return best(view.store, where=where, study=view.study, sort=sort, top=top)

    return remembered(view, "leaderboard", (view.study, view.where, sort, top), read)


def leaderboard_row(view: View, architecture_id: str) -> BestRow | None:
    """The row of one architecture in the filter, else in the whole store; None without a result."""
    arguments = (view.study, view.where, architecture_id)
    row = remembered(view, "leaderboard row", arguments, lambda: _row(view, architecture_id))
    if row is None and (view.study is not None or view.is_filtered):
        return leaderboard_row(replace(view, study=None, where=""), architecture_id)
    return row


def _row(view: View, architecture_id: str) -> BestRow | None:
    where = view.where or None
    rows = best(view.store, where=where, study=view.study, architecture=architecture_id)
    return rows[0] if rows else None
