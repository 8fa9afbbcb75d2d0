"""The answers of all queries on one small store, to five digits.

Trials are played, so that they are the same on every machine; moments are left out. When an answer
is meant to change, look at the difference and write it anew:

    MIXSPACE_TRANSCRIPT=write python -m pytest tests/query/test_answers.py
"""

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from search import query
from search.store import Store, TrialState, open_store
from tests.support.played_studies import RETRAINED, check_written, played_store

ANSWERS = Path(__file__).with_name("answers.txt")
OF_A_STUDY = ("space", "protocol", "protocol_hash", "objective", "planned_trials", "seeds")

Ask = Callable[[Store], Any]


def best_ids(store: Store, study: str = "evolved", top: int = 3) -> list[str]:
    return [row.architecture_id for row in query.best(store, study=study, top=top)]


QUESTIONS: dict[str, Ask] = {
    "a study": lambda s: {name: getattr(s.studies.get(RETRAINED), name) for name in OF_A_STUDY},
    "best of a study": lambda s: query.best(s, study="evolved", top=4),
    "best by a clause": lambda s: query.best(
        s, study="evolved", where="params < 10k and not any kernel = 3", top=4
    ),
    "best by params": lambda s: query.best(s, study="evolved", sort="params", top=2),
    "best under a limit": lambda s: query.best(s, study="quick", where="latency < 0.9", top=3),
    "best by protocol": lambda s: query.best_by_protocol(s, top=1),
    "best within bounds": lambda s: query.best_within_bounds(s, "quick", 2, "to be shown"),
    "front of a study": lambda s: query.front(
        s, "front", query.study_objectives(s, "front").objectives
    ),
    "objectives": lambda s: [query.study_objectives(s, each) for each in ("front", "quick")],
    "against random search": lambda s: query.comparison(s, "evolved"),
    "without random search": lambda s: query.comparison(s, "front"),
    "spreads": lambda s: query.spreads(s),
    "ranks": lambda s: query.ranks(query.best(s, study="evolved"), query.spreads(s)),
    "accuracy against cost": lambda s: query.accuracy_cost(s, study="evolved", points=5),
    "accuracy against macs": lambda s: query.accuracy_cost(
        s, "macs", study="evolved", where="params > 4k", points=200
    ),
    "accuracy over time": lambda s: query.accuracy_over_time(s, study="evolved", points=6),
    "course": lambda s: query.study_course(s, "evolved"),
    "hypervolume": lambda s: query.hypervolume_course(s, "front"),
    "compared": lambda s: query.compare_networks(s, best_ids(s), study="evolved"),
    "splits": lambda s: query.compare_splits(s, RETRAINED),
    "splits of a search": lambda s: query.compare_splits(s, "evolved", best_ids(s)),
    "tests": lambda s: query.figures_of_tests(s),
    "trained results": lambda s: query.trained_results(s, best_ids(s)[0]),
    "trained results of a study": lambda s: query.trained_results_of_study(s, RETRAINED),
    "effects": lambda s: [
        effect
        for found in query.study_effects(s, ["evolved", "front"])
        for effect in found.effects
        if effect.pairs
    ],
    "importance": lambda s: query.study_importance(s, ["evolved", "front"]),
    "worth of proxies": lambda s: query.study_fidelity(s, ["evolved"]),
    "worth of a study": lambda s: query.paired_fidelity(s, "quick", "evolved"),
    "worth of stops": lambda s: query.proxy_worth(s, "evolved"),
    "failures": lambda s: query.failures(s),
    "failures of a study": lambda s: query.failures(s, study="evolved", where="params < 10k"),
    "trials of a kind": lambda s: query.trials_of_kind(s, query.failures(s).kinds[0]),
    "operators": lambda s: query.operator_records(s, study="evolved"),
    "ranks of operators": lambda s: query.operator_ranks(query.best(s, study="evolved")),
    "trials by operators": lambda s: query.trials_by_operators(s, "evolved"),
    "pairs": lambda s: query.paired(s, "evolved", query.best(s, study="evolved", top=None)),
    "newest trials": lambda s: query.trial_summaries(s, limit=3),
    "trials that ended": lambda s: query.trial_summaries(s, order="ended", limit=3),
    "best trials": lambda s: query.trial_summaries(s, order="best", study="evolved", limit=3),
    "broken trials": lambda s: query.trial_summaries(s, states=[TrialState.INFEASIBLE], limit=3),
    "table of trials": lambda s: query.trial_table(s, where="params < 4k"),
    "states": lambda s: query.state_counts(s, where="any kernel = 5"),
    "protocols": lambda s: query.protocols(s),
    "seconds of training": lambda s: query.training_seconds(s),
    "latencies": lambda s: query.latency_records(s, "quick"),
    "measured": lambda s: query.measured(s, [1, 2]),
    "notes": lambda s: query.accuracy_notes(s),
    "method": lambda s: query.method_sentence(s.studies.get("evolved")),
    "evaluated": lambda s: query.evaluated(s, "front", ["macs", "validation_loss"]),
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the studies; the networks that were retrained are tested."""
    path = played_store(tmp_path_factory.mktemp("played"))
    with open_store(str(path), create=False) as store:
        study = store.studies.get(RETRAINED)
        for number, trial in enumerate(store.trials.of_study(study.id)):
            reading = store.test_audit.begin(
                trial.id,
                protocol_hash=study.protocol_hash,
                images=1000,
                chance=0.1,
                content_hash="c",
                device="cpu",
            )
            store.test_audit.complete(reading.id, 0.4 + number / 50)
    return path


def plain(value: Any) -> Any:
    """What JSON can hold: numbers to five digits, as machines differ behind; moments left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: plain(getattr(value, name)) for name in names}
    if isinstance(value, pd.DataFrame):
        return [plain(row) for row in value.to_dict("records")]
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(each) for each in value]
    return _of_one(value)


def _of_one(value: Any) -> Any:
    if isinstance(value, datetime | pd.Timestamp):
        return "MOMENT"
    if isinstance(value, float | np.floating):
        return None if math.isnan(value) else float(f"{value:.5g}")
    if isinstance(value, Enum):
        return str(value)
    return value.item() if isinstance(value, np.generic) else value


def test_queries_answer_what_they_answered(played: Path) -> None:
    with open_store(str(played), create=False) as store:
        answers = [
            f"{name}\n{json.dumps(plain(ask(store)), indent=1, ensure_ascii=False, default=str)}"
            for name, ask in QUESTIONS.items()
        ]
    text = "\n\n".join(answers).replace(str(played.parent), "FOLDER")
    check_written(f"{text}\n", ANSWERS)
