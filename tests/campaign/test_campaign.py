"""A campaign of three faults, for the campaign itself: `make faults` is the whole of it."""

import threading
from pathlib import Path

import pytest

from tests.campaign.faults import KILL, TERM, Fault, Victim
from tests.campaign.places import SqlitePlace
from tests.campaign.plans import Plan
from tests.campaign.study import StudyUnderFire
from tests.campaign.verdict import judge


@pytest.mark.ray
@pytest.mark.timeout(300)
@pytest.mark.slow
def test_a_study_survives_its_faults_and_is_judged_sound(tmp_path: Path) -> None:
    faults = (Fault(Victim.WORKER, TERM), Fault(Victim.WORKER, KILL), Fault(Victim.DRIVER, KILL))
    settings = {
        "trials": 3,
        "protocol": {"epochs": 4, "batch_size": 20, "warmup_epochs": 1},
        "data": {"name": "fashion-mnist", "limit_train": 1200, "limit_validation": 50},
        "retries": 100,
    }
    plan = Plan("small", "sqlite", settings, faults)
    said: list[str] = []
    study = StudyUnderFire(plan, tmp_path, SqlitePlace(tmp_path), said.append, threading.Event())
    study.run()
    verdict = judge(study)
    assert verdict.problems == ()
    assert verdict.figures.sound
    assert verdict.figures.reached == 3
    assert study.struck == list(faults)
    assert [driver.code for driver in study.drivers] == [-KILL, 0]
    assert study.family.folders
    assert len(study.family.members) > 10
    assert len(study.seen.epochs) == 12
    assert said == [f"small: {fault}" for fault in faults]
