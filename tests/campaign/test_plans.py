import json
import random
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.config import load_config
from tests.campaign.__main__ import as_json, parse, shown
from tests.campaign.campaign import Row
from tests.campaign.faults import Victim, faults
from tests.campaign.plans import plans


@given(st.integers(0, 2**31))
def test_plans_follow_from_the_seed(seed: int) -> None:
    stores = ["sqlite", "postgresql"]
    first, again = (list(islice(plans(stores, seed), 6)) for _ in range(2))
    assert first == again
    assert [plan.store for plan in first] == stores * 3
    assert len({plan.name for plan in first}) == 6


def test_another_seed_gives_other_plans() -> None:
    one, other = (next(plans(["sqlite"], seed)) for seed in (1, 2))
    assert one.faults != other.faults


@given(st.integers(0, 2**31), st.booleans())
def test_fifty_faults_have_every_victim_and_signal(seed: int, postgresql: bool) -> None:
    found = list(islice(faults(random.Random(seed), postgresql=postgresql), 50))
    servers = {Victim.SERVER, Victim.BACKEND}
    victims = set(Victim) if postgresql else set(Victim) - servers
    assert {fault.victim for fault in found} == victims
    for victim in victims:
        signals = {fault.signal.name for fault in found if fault.victim == victim}
        assert signals == {"SIGKILL", "SIGTERM", "SIGSTOP"}
    assert all(bool(fault.sequel) == (fault.signal.name == "SIGSTOP") for fault in found)


@settings(max_examples=10)
@given(st.integers(0, 2**31))
def test_every_configuration_is_valid(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.getbasetemp() / "plans"
    folder.mkdir(exist_ok=True)
    for plan in islice(plans(["sqlite"], seed), 2):
        plan.write(folder, str(folder / "store.db"))
        config = load_config(folder / "study.yaml")
        assert config.trials >= len(plan.faults)
        assert config.search_space.count() > config.trials


def test_the_table_adds_the_stores_up() -> None:
    rows = [Row("sqlite", 2, 5), Row("postgresql", 1, 2)]
    rows[0].struck["worker", "SIGKILL"] += 4
    rows[1].struck["worker", "SIGKILL"] += 1
    lines = shown(rows).splitlines()
    assert lines[4].split("|")[1:5] == [" all        ", "       3 ", "     5 ", "       7 "]
    assert any(line.startswith("| worker") and " 5 |" in line for line in lines)
    assert [row["kills"] for row in json.loads(as_json(rows, 1.0))["stores"]] == [4, 1]


def test_the_command_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = parse(["--kills", "7", "--stores", "postgresql", "--folder", str(tmp_path)])
    assert (options.kills, options.stores, options.jobs) == (7, ["postgresql"], 2)
    with pytest.raises(SystemExit):
        parse(["--stores", "oracle"])
    assert "sqlite,postgresql: oracle" in capsys.readouterr().err
