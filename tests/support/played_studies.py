"""Three small studies whose trials are played, so that everywhere the same comes out."""

import difflib
import os
import random
from pathlib import Path
from typing import Any

import pytest
import yaml

from search.cli.program import run_program
from search.driver import latency_plan
from search.driver.assignment import Assignment, Report
from search.driver.session import StudySession
from search.runner import run as run_module
from tests.search.driving import accuracy, epoch
from tests.search.small import SPACE, values
from tests.search.without_ray import in_place_of_ray
from tests.support.made_up_meter import MadeUpMeter
from trainers import Cause, Failure

EPOCHS = 4
SEARCH: dict[str, Any] = {
    "study": "evolved",
    "space": SPACE | {"block_type": ["conv", "prenorm"]},
    "searcher": {"name": "evolution", "population": 6, "tournament": 3},
    "scheduler": {"name": "asha", "grace_epochs": 2, "reduction_factor": 3},
    "protocol": {"epochs": EPOCHS, "batch_size": 50, "warmup_epochs": 0.5},
    "initial": ["named"],
    "random_baseline": 0.5,
    "trials": 40,
    "seed": 3,
}
FRONT = SEARCH | {
    "study": "front",
    "searcher": {"name": "random"},
    "scheduler": {"name": "none"},
    "objectives": {"validation_accuracy": "maximise", "macs": "minimise"},
    "constraints": {"params": {"at_most": 9_000}},
    "random_baseline": 0.0,
    "initial": [],
    "trials": 14,
}
QUICK = values(study="quick", trials=8, latency={"device": "cpu", "at_most": "1 ms", "networks": 6})

WARM = SEARCH | {
    "study": "warm",
    "searcher": {"name": "local"},
    "scheduler": {"name": "hyperband", "grace_epochs": 1, "reduction_factor": 2},
    "protocol": SEARCH["protocol"] | {"initialisation": "inherited"},
    "warm_start": ["evolved"],
    "random_baseline": 0.25,
    "initial": ["paired"],
    "trials": 24,
}
BY_MEDIAN = SEARCH | {
    "study": "by-median",
    "searcher": {"name": "tpe", "startup_trials": 5},
    "scheduler": {"name": "median", "grace_epochs": 2, "min_trials": 3},
    "protocol": SEARCH["protocol"] | {"judged_by": "best"},
    "random_baseline": 0.0,
    "initial": [],
    "trials": 16,
}


def played(session: StudySession, *others: Any) -> None:
    """Every training has a curve of its own, near that of its network; one in seven breaks off."""
    while (assignment := session.next_assignment()) is not None:
        assignment.checkpoint.parent.mkdir(parents=True, exist_ok=True)
        assignment.checkpoint.write_text(f"weights of {assignment.architecture.id}")
        if assignment.trial.number % 7 == 5:
            _break_off(session, assignment.trial.number)
        else:
            _train(session, assignment)


def _break_off(session: StudySession, number: int) -> None:
    session.started(number)
    failure = Failure(Cause.CODE, f"KeyError: {number}", infeasible=number % 2 == 0)
    session.ended(number, Report(failure=failure))


def _train(session: StudySession, assignment: Assignment) -> None:
    """Report epoch by epoch, and stop when told to."""
    number, id_ = assignment.trial.number, assignment.architecture.id
    session.started(number)
    luck = random.Random(f"{id_} {assignment.trial.repeat}").uniform(-0.02, 0.02)
    last = assignment.settings["protocol"]["epochs"]
    for each in range(1, last + 1):
        reached = accuracy(id_, each) + luck
        losses = {"train_loss": 1 - reached, "validation_loss": 1.1 - reached / 2}
        done = each == last
        report = Report((epoch(each, reached) | losses,), complete=done)
        if session.reported(number, report).stop and not done:
            break
    session.ended(number, Report(report.epochs, complete=done))


def configured(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """In the folder, which becomes the working one, is the configuration of each study.

    Runs play their trials, and latencies are made up.
    """
    in_place_of_ray(patch, folder)
    patch.delenv("FORCE_COLOR", raising=False)
    patch.setenv("COLUMNS", "80")
    patch.setattr(run_module, "tune_session", played)
    patch.setattr(latency_plan, "MeterProcess", MadeUpMeter.fresh())
    patch.chdir(folder)
    for study in (SEARCH, FRONT, QUICK, WARM, BY_MEDIAN):
        Path(f"{study['study']}.yaml").write_text(yaml.safe_dump(values(**study)))


RUNS = (
    ["run", "evolved.yaml"],
    ["run", "front.yaml"],
    ["run", "quick.yaml"],
    ["repeat", "evolved", "--top", "3", "--seeds", "3"],
    ["continue", "evolved", "--pruned", "1"],
    ["retrain", "--top", "2", "--study", "evolved", "--seeds", "2", "--set", "protocol.epochs=5"],
)
RETRAINED = "evolved-retrained"


def played_store(folder: Path) -> Path:
    """A store with the studies, and a retraining of the best two networks."""
    with pytest.MonkeyPatch.context() as patch:
        configured(folder, patch)
        for command in RUNS:
            assert run_program([*command, "--store", "a.db"]) == 0
    return folder / "a.db"


def check_written(text: str, path: Path) -> None:
    """A text is what a file holds; where MIXSPACE_TRANSCRIPT is "write", it is written there."""
    if os.environ.get("MIXSPACE_TRANSCRIPT") == "write":
        path.write_text(text)
    now, before = text.splitlines(), path.read_text().splitlines()
    assert now == before, "\n".join(difflib.unified_diff(before, now, "before", "now", lineterm=""))
