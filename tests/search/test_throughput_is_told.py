"""The first worker of a run measures whether pictures come fast enough, and that is told."""

from pathlib import Path
from typing import Any

import pytest

from search.driver.assignment import Report
from search.driver.throughput_promise import ThroughputPromise
from search.ray_executor import worker as worker_module
from search.ray_executor.worker import TrialWorker
from search.store import open_store
from tests.search.driving import begin, epoch
from tests.search.small import config
from tests.trainers.tiny import image_folder
from trainers.data import held_out_test
from trainers.throughput import Throughput

FOUND = Throughput(310, 1200, 2, 16, "cuda").to_dict()


def test_a_report_carries_it() -> None:
    assert Report.from_result(Report(throughput=FOUND).to_result()).throughput == FOUND
    assert "throughput" not in Report().to_result()


@pytest.mark.parametrize("of_folder", [True, False])
def test_the_first_trial_of_a_run_measures_where_pictures_are_decoded(
    tmp_path: Path, of_folder: bool
) -> None:
    folder = {"name": "image-folder", "folder": str(image_folder(tmp_path / "images"))}
    written: dict[str, Any] = {"trials": 3}
    if of_folder:
        written |= {"data": folder, "protocol": {"data": "image-folder"}}
    settings, said = config(tmp_path, **written), []
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings, say=said.append)
        given = [session.next_assignment() for _ in range(3)]
        assert [each.to_config()["measures"] for each in given] == [of_folder, False, False]
        for each in given:
            session.started(each.trial.number)
        for _ in range(2):  # Ray tells some results twice
            session.reported(0, Report(throughput=FOUND))
        session.reported(0, Report((epoch(1),)))
    assert said == [Throughput.from_dict(FOUND).sentence()]


def test_a_first_epoch_that_was_far_slower_is_told_once(tmp_path: Path) -> None:
    folder = {"name": "image-folder", "folder": str(image_folder(tmp_path / "images"))}
    settings, said = config(tmp_path, trials=3, data=folder, protocol={"data": "image-folder"}), []
    with open_store(settings.store, create=True) as store:
        session = begin(store, settings, say=said.append)
        given = [session.next_assignment() for _ in range(2)]
        for each in given:
            assert each is not None
            session.started(each.trial.number)
        slow = {"images_per_second": 10.0, "seconds": 60.0}
        session.reported(1, Report((epoch(1) | slow,)))
        session.reported(0, Report(throughput=FOUND))
        session.reported(1, Report((epoch(2) | slow,)))  # of another trial
        assert len(said) == 1
        session.reported(0, Report((epoch(1) | slow,)))
        session.reported(0, Report((epoch(2) | slow,)))
    assert len(said) == 2
    assert said[1].startswith("warning: the first epoch trained 10 images/s, where 310 were to be")


def test_it_is_reported_before_the_first_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_out_test, "_depth", 0)
    monkeypatch.setenv(held_out_test.VARIABLE, "")
    asked = {"training": "tests.search.faults:by_number", "number": 20}
    monkeypatch.setattr(worker_module, "_throughput", lambda training: FOUND)
    for measures, first in ((True, ()), (False, (1,))):
        trial = TrialWorker(asked | {"measures": measures})
        report = Report.from_result(trial.step())
        assert tuple(each["epoch"] for each in report.epochs) == first
        assert (report.throughput is not None) == measures
        assert not report.ended
        if measures:
            assert [e["epoch"] for e in Report.from_result(trial.step()).epochs] == [1]


@pytest.mark.parametrize("lacks", ["images_per_second", "seconds"])
def test_an_epoch_that_does_not_say_how_fast_it_was_contradicts_nothing(lacks: str) -> None:
    said: list[str] = []
    promise = ThroughputPromise("image-folder", said.append)
    promise.told(0, FOUND)
    promise.met_by(0, epoch(1) | {"images_per_second": 10.0, "seconds": 60.0, lacks: None})
    promise.met_by(0, epoch(2) | {"images_per_second": 10.0, "seconds": 60.0})  # not the first
    assert said == [Throughput.from_dict(FOUND).sentence()]
