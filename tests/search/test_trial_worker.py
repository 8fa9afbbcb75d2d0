"""The worker, called in this process as Ray calls it in its own."""

import importlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search.driver.assignment import Report
from search.driver.lineage import Trained
from search.ray_executor.making import make_training
from search.ray_executor.worker import TrialWorker
from space import Architecture, InputError
from tests.search import faults
from tests.search.small import config
from trainers import TestSplitLocked, open_test_split
from trainers.data import held_out_test


@pytest.fixture
def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers lock the test split for good; this process goes on with other tests."""
    monkeypatch.setattr(held_out_test, "_depth", 0)
    monkeypatch.setenv(held_out_test.VARIABLE, "")


def worker(number: int, training: str = "tests.search.faults:by_number") -> TrialWorker:
    return TrialWorker({"number": number, "training": training})


def failed(report: Report) -> bool:
    return report.failure is not None and report.failure.state == "failed"


def train(trial: TrialWorker) -> list[Report]:
    reports = [Report.from_result(trial.step())]
    while not reports[-1].ended:
        reports.append(Report.from_result(trial.step()))
    return reports


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize(
    ("number", "state", "reason"),
    [
        (0, "failed", "train loss is nan in epoch 2, step 17"),
        (1, "failed", "RuntimeError: the flux capacitor is empty (in run_epoch, faults.py:"),
        (2, "infeasible", "out of memory: "),
        (4, "failed", "KeyError: 'broken before the first epoch'"),
        (20, "complete", None),
    ],
)
def test_every_end_is_a_state_and_a_reason(number: int, state: str, reason: str | None) -> None:
    end = train(worker(number))[-1]
    if end.failure is None:
        assert (state, end.complete) == ("complete", True)
    else:
        assert end.failure.state == state
        assert end.failure.reason.startswith(reason or "")


@pytest.mark.usefixtures("unlocked")
@pytest.mark.parametrize("number", [21, 22])
def test_what_is_no_exception_is_a_failure_too(number: int) -> None:
    """Ray would say TaskCancelledError and the name of its task."""
    failure = train(worker(number))[-1].failure
    assert failure is not None
    assert failure.state == "failed"
    assert failure.reason.startswith(("KeyboardInterrupt: ", "GeneratorExit: "))


@pytest.mark.usefixtures("unlocked")
def test_the_same_process_goes_on_with_the_next_trial() -> None:
    trial = worker(1)
    assert failed(train(trial)[-1])
    assert trial.reset_config({"number": 20, "training": "tests.search.faults:by_number"})
    reports = train(trial)
    assert [[e["epoch"] for e in report.epochs] for report in reports] == [[1], [2]]
    assert reports[-1].complete


@pytest.mark.usefixtures("unlocked")
def test_a_training_that_is_done_already_reports_all_its_epochs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def finished(_: Any) -> faults.FakeTraining:
        training = faults.FakeTraining()
        training.run_epoch()
        training.run_epoch()
        return training

    monkeypatch.setattr(faults, "finished", finished, raising=False)
    (report,) = train(worker(0, "tests.search.faults:finished"))
    assert [e["epoch"] for e in report.epochs] == [1, 2]


@pytest.mark.usefixtures("unlocked")
def test_a_worker_cannot_read_the_test_split() -> None:
    worker(20)
    settings = config(Path())
    with pytest.raises(TestSplitLocked):
        open_test_split(
            settings.data,
            settings.protocol,
            architecture_id="0" * 16,
            record=lambda _: None,
        )


def assignment(folder: Path) -> dict[str, Any]:
    settings = config(folder, protocol={"epochs": 2, "batch_size": 100})
    return {
        "number": 0,
        "architecture": settings.space.sample(np.random.default_rng(0)).to_json(),
        "protocol": settings.protocol.to_dict(),
        "data": settings.data.to_dict(),
        "seeds": {"initialisation": 1, "data_order": 2},
        "checkpoint": str(folder / "0.safetensors"),
        "device": "cpu",
        "threads": 1,
        "training": "search.ray_executor.making:make_training",
    }


def test_the_real_training_resumes_from_its_checkpoint(tmp_path: Path) -> None:
    config = assignment(tmp_path)
    first = make_training(config)
    first.run_epoch()
    second = make_training(config)
    assert [epoch.epoch for epoch in second.history] == [1]
    second.run_epoch()
    assert second.done


def test_a_damaged_checkpoint_costs_its_epochs_but_not_the_trial(tmp_path: Path) -> None:
    config = assignment(tmp_path)
    make_training(config).run_epoch()
    Path(config["checkpoint"]).write_bytes(b"rubbish")
    assert make_training(config).history == ()
    assert (tmp_path / "0.safetensors.refused").exists()


def heir(folder: Path) -> dict[str, Any]:
    """The assignment of a child of a parent that was trained in the same folder."""
    parent = assignment(folder)
    parent["protocol"]["initialisation"] = "inherited"
    make_training(parent).run_epoch()
    architecture = Architecture.from_json(parent["architecture"])
    stages = tuple(replace(stage, depth=stage.depth + 1) for stage in architecture.stages)
    grown = replace(architecture, stages=stages)
    weights = Trained(0, architecture, Path(parent["checkpoint"]), 0.5, 1.0)
    own = {"architecture": grown.to_json(), "checkpoint": str(folder / "child.safetensors")}
    return parent | own | {"parent": weights.to_config()}


@pytest.mark.usefixtures("unlocked")
def test_a_child_says_that_it_inherited_also_after_a_restart(tmp_path: Path) -> None:
    child = heir(tmp_path)
    assert Report.from_result(TrialWorker(child).step()).inherited is True
    Path(child["parent"]["checkpoint"]).unlink()
    assert Report.from_result(TrialWorker(child).step()).inherited is True


@pytest.mark.usefixtures("unlocked")
def test_a_lost_parent_costs_the_inheritance_but_not_the_trial(tmp_path: Path) -> None:
    child = heir(tmp_path)
    Path(child["parent"]["checkpoint"]).write_bytes(b"rubbish")
    reports = train(TrialWorker(child))
    assert reports[-1].complete
    assert [report.inherited for report in reports] == [False, False]


@pytest.mark.usefixtures("unlocked")
def test_without_a_parent_nothing_is_said_of_inheritance(tmp_path: Path) -> None:
    assert Report.from_result(TrialWorker(assignment(tmp_path)).step()).inherited is None


def test_a_parent_under_a_protocol_from_scratch_fails_the_trial(tmp_path: Path) -> None:
    child = heir(tmp_path)
    del child["protocol"]["initialisation"]
    with pytest.raises(InputError, match="inherit_from"):
        make_training(child)


def test_entry_points_exist() -> None:
    from search.driver.assignment import TRAINING

    module, _, name = TRAINING.partition(":")
    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.thorough
def test_a_worker_never_touches_the_store() -> None:
    """Not even as far as to import it: every worker would wait for that."""
    seen = "print({'sqlalchemy', 'alembic'} & set(sys.modules))"
    code = f"import sys, search.ray_executor.worker; {seen}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
