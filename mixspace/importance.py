"""The importance of the axes as a table of pandas."""

from typing import TYPE_CHECKING

from search.query import StudyImportance

if TYPE_CHECKING:
    from pandas import DataFrame


def importance_dataframe(found: StudyImportance) -> "DataFrame":
    """One row an axis, the most important first, then pairs of axes. What is not known is missing.

    `attrs` has under what conditions the networks were judged (`judged`), `networks`, what all
    axes explain together (`explained`), and `notes`.
    """
    import pandas as pd  # heavy, and of no use to who asks for something else

    plain = found.plain()
    table = pd.DataFrame([*plain["axes"], *plain["together"]])
    numbers = ["share", "low", "high", "alone", "p"]
    table[numbers] = table[numbers].astype(float)
    told = ("judged", "networks", "explained")
    table.attrs = {**{name: plain[name] for name in told}, "notes": list(found.notes)}
    return table
