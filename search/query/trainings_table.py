"""Trainings in a Parquet file, as the tabular benchmark of a checkout has them."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from search.effects import MARGIN, TrainedNetwork
from search.objectives import judged_accuracy, judged_by
from search.query.study_effects import StudyEffects, effects_of
from search.query.study_importance import StudyImportance, importance_of
from space.errors import InputError
from space.wording import count, some

_COLUMNS = ("architecture_id", "architecture", "seed", "params", "macs")
_CURVES = ("validation_accuracy", "seconds")


def table_effects(path: Path, *, margin: float = MARGIN) -> StudyEffects:
    """The effects of moves between the networks of a file.

    Args:
        path: Parquet, a row for each training: architecture_id, architecture (JSON), seed, params,
            macs, and by epoch validation_accuracy (0 to 1) and seconds. Its metadata may hold the
            protocol.
        margin: a difference of accuracies (0 to 1) that matters to nobody.

    Raises:
        InputError: no such file, or one without these columns.
    """
    networks, judged, notes = _trained(path)
    return effects_of((path.stem,), judged, [*networks.values()], margin, notes)


def table_importance(path: Path) -> StudyImportance:
    """The importance of the axes among the networks of a file, as of `table_effects`.

    Raises:
        InputError: no such file, or one without these columns.
    """
    networks, judged, notes = _trained(path)
    trained = {
        each.architecture: float(np.mean([*each.accuracies.values()])) for each in networks.values()
    }
    return importance_of((path.stem,), judged, trained, notes)


def _trained(path: Path) -> tuple[dict[str, TrainedNetwork], str, list[str]]:
    """Its networks by their ids, how they were judged, and what is left out."""
    rows, protocol = _read(path)
    rule = judged_by(protocol)
    networks: dict[str, TrainedNetwork] = {}
    failed = 0
    for row in rows:
        accuracy = judged_accuracy(row["validation_accuracy"], rule)
        if row.get("failure") is not None or accuracy is None:
            failed += 1
            continue
        network = networks.setdefault(
            row["architecture_id"], TrainedNetwork(row["architecture"], {}, _costs(row))
        )
        networks[row["architecture_id"]] = TrainedNetwork(
            network.architecture, {**network.accuracies, row["seed"]: accuracy}, network.costs
        )
    notes = [f"Left out: {count(failed, 'training')} that failed."] if failed else []
    epochs = protocol.get("epochs", max((len(r["validation_accuracy"]) for r in rows), default=0))
    return networks, f"judged after {count(int(epochs), 'epoch')}", notes


def _costs(row: dict[str, Any]) -> dict[str, float]:
    seconds = [each for each in row["seconds"] if each is not None]
    return {
        "params": float(row["params"]),
        "macs": float(row["macs"]),
        "seconds": float(sum(seconds)) if seconds else math.nan,
    }


def _read(path: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    from pyarrow import ArrowException, parquet  # heavy, and of no use to whoever has a store

    try:
        schema = parquet.read_schema(path)
        missing = [name for name in (*_COLUMNS, *_CURVES) if name not in schema.names]
        if missing:
            message = f"{path} is no table of trainings: it has no {some(missing)}"
            raise InputError.of("study", message)
        wanted = [*_COLUMNS, *_CURVES, *(["failure"] if "failure" in schema.names else [])]
        rows = parquet.read_table(path, columns=wanted).to_pylist()
    except (OSError, ArrowException) as error:
        reason = " ".join(str(error).split())
        raise InputError.of("study", f"{path} cannot be read: {reason}") from None
    return rows, json.loads((schema.metadata or {}).get(b"protocol", b"{}"))
