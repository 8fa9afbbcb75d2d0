"""All trials of a filter as plain rows: what people take away into a notebook or a spreadsheet."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.query.best_statement import JUDGED_BY
from search.query.where import Where, joined, matching
from search.store.models import ArchitectureRow, StudyRow, TrialRow
from search.store.stale_runs import effective
from search.store.store import Store
from space.errors import InputError

if TYPE_CHECKING:
    from pandas import DataFrame

_SEEDS = ("initialisation", "data_order")

TABLE_COLUMNS = (
    *("study", "protocol", "trial", "state", "architecture_id", "operators", "accuracy"),
    *("judged_by", "best_accuracy", "last_accuracy", "params", "macs", "block_type", "depth"),
    *("epochs", "seconds", "origin", "repeat", "attempts", "seed_initialisation"),
    *("seed_data_order", "started", "ended", "reason", "trial_id"),
)
"""Of the table, in order. Accuracies are of validation images, 0 to 1; those of different protocols
do not compare. `macs` are multiply-accumulates for one image, `seconds` are of training."""


def trial_table(
    store: Store,
    *,
    where: Where | str | None = None,
    study: str | None = None,
    networks: bool = False,
) -> "DataFrame":
    """A row for each trial of a filter, in whatever state, as readers see it.

    Args:
        store: where to look.
        where: only trials that fulfil this clause.
        study: only trials of this study.
        networks: whether a last column `architecture` has the JSON of each network.

    Returns:
        The columns TABLE_COLUMNS, study by study in order of the trials' numbers.

    Raises:
        InputError: a malformed where-clause, or an unknown study.
    """
    import pandas as pd  # heavy, and of no use to who asks for something else

    if study is not None:
        store.studies.get(study)
    stale = store.runs.stale()
    columns = {
        "study": StudyRow.name,
        "protocol": StudyRow.protocol_hash,
        "trial": TrialRow.number,
        "state": effective(TrialRow.state, stale),
        "architecture_id": TrialRow.architecture_id,
        "operators": ArchitectureRow.operators,
        "accuracy": TrialRow.accuracy,
        "judged_by": JUDGED_BY,
        "best_accuracy": TrialRow.best_accuracy,
        "last_accuracy": TrialRow.last_accuracy,
        "params": ArchitectureRow.params,
        "macs": ArchitectureRow.macs,
        "block_type": ArchitectureRow.block_type,
        "depth": ArchitectureRow.depth,
        "epochs": TrialRow.epochs_done,
        "seconds": TrialRow.seconds,
        "origin": TrialRow.origin,
        "repeat": TrialRow.repeat,
        "attempts": TrialRow.attempts,
        "seeds": TrialRow.seeds,
        "started": effective(TrialRow.started, stale),
        "ended": effective(TrialRow.ended, stale),
        "reason": effective(TrialRow.reason, stale),
        "trial_id": TrialRow.id,
        **({"architecture": ArchitectureRow.json} if networks else {}),
    }
    query = joined(*(column.label(name) for name, column in columns.items()))
    query = query.where(*matching(where, study, stale)).order_by(StudyRow.id, TrialRow.number)
    rows: Any = store.read(lambda connection: connection.execute(query).mappings().all())
    table = pd.DataFrame([_plain(row) for row in rows])
    for name in (f"seed_{name}" for name in _SEEDS):
        if name in table:
            table[name] = table[name].astype("Int64")  # a trial without one makes no 7.0 of others
    named = [*TABLE_COLUMNS, *(["architecture"] if networks else [])]
    return table[named] if len(table) else pd.DataFrame(columns=named)


def _plain(row: Any) -> dict[str, Any]:
    seeds = row["seeds"] or {}
    told = {f"seed_{name}": seeds.get(name) for name in _SEEDS}
    return {name: value for name, value in row.items() if name != "seeds"} | told


# --- files -------------------------------------------------------------------------------------


def _csv(table: "DataFrame") -> bytes:
    text: str = table.to_csv(index=False)
    return text.encode()


def _parquet(table: "DataFrame") -> bytes:
    found: bytes = table.to_parquet(index=False)
    return found


TABLE_FORMATS: dict[str, Callable[["DataFrame"], bytes]] = {".csv": _csv, ".parquet": _parquet}
"""What a table is written as, by the ending of a file's name."""


def table_format(path: Path) -> Callable[["DataFrame"], bytes]:
    """How a file of this name is written.

    Raises:
        InputError: another ending.
    """
    found = TABLE_FORMATS.get(path.suffix.lower())
    if found is None:
        message = f"{str(path)!r} ends in none of {', '.join(TABLE_FORMATS)}"
        raise InputError.of("file", message)
    return found
