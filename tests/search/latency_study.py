"""A study under a limit of latency, on made-up figures."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.config import Config
from search.driver import latency_table
from search.driver.latency_confirmation import LatencyConfirmation
from search.driver.latency_plan import LatencyPlan, prepare_latency
from search.driver.session import StudySession
from search.driver.study_setup import begin_session, create_study
from search.store import Store, StudyRecord, open_store
from space import Architecture
from tests.search.driving import HASHES, begin_run
from tests.search.small import SPACE, config
from tests.support.made_up_meter import MadeUpMeter

LIMIT = 1.7
STAGES = [
    {"depth": [1, 2], "width": [16, 32], "mlp_ratio": 2},
    {"depth": 1, "width": [32, 48], "mlp_ratio": 2},
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(str(tmp_path / "tiny.db"), create=True) as opened:
        yield opened


@pytest.fixture(autouse=True)
def few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency_table, "_TRIED", 100)


@pytest.fixture
def meter() -> type[MadeUpMeter]:
    return MadeUpMeter.fresh()


def limited(tmp_path: Path, limit: float | None = LIMIT, **changes: Any) -> Config:
    latency = {"networks": 6} | ({} if limit is None else {"at_most": limit})
    space = SPACE | {"stages": STAGES}
    return config(tmp_path, **{"space": space, "latency": latency, "trials": 8} | changes)


def planned(
    store: Store, settings: Config, meter: type[MadeUpMeter], said: list[str] | None = None
) -> LatencyPlan:
    say = (said if said is not None else []).append
    found = store.studies.get(settings.study) if store.studies.exists(settings.study) else None
    plan = prepare_latency(store, settings, found, say, meter)
    assert plan is not None
    return plan


def begin(
    store: Store,
    settings: Config,
    meter: type[MadeUpMeter],
    said: list[str] | None = None,
) -> StudySession:
    plan = planned(store, settings, meter, said)
    protocol = settings.protocol.bound_to(*HASHES)
    study = (
        store.studies.get(settings.study)
        if store.studies.exists(settings.study)
        else create_study(store, settings, protocol, latency=plan)
    )
    return begin_session(
        store,
        study,
        begin_run(store, study.id),
        settings,
        protocol,
        say=(said if said is not None else []).append,
        latency=LatencyConfirmation(store, plan, settings.study, make_meter=meter),
    )


def networks_of(store: Store, study: StudyRecord) -> dict[str, Architecture]:
    history = store.studies.history(study.id)
    return {id_: Architecture.from_json(each.json) for id_, each in history.networks.items()}
