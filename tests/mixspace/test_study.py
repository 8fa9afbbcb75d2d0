"""A real search from Python, and what is asked of its study."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
import torch

import mixspace
from mixspace import InputError, Study
from mixspace.trials import COLUMNS
from search.driver.checkpoints import Checkpoints
from search.store import open_store
from tests.search.small import values
from tests.search.without_ray import Player, player
from trainers import open_data
from trainers.evaluation import score

__all__ = ["player"]

pytestmark = pytest.mark.ray


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Judged by the average of the weights, which is not what is trained on."""
    folder = tmp_path_factory.mktemp("study")
    return mixspace.run(
        values(),
        store=folder / "a.db",
        checkpoints=folder / "checkpoints",
        trials=2,
        protocol={"ema_decay": 0.5},
        resources={"concurrent_trials": 1},
        progress=False,
    )


def test_a_loaded_network_has_the_accuracy_that_is_stored(study: Study) -> None:
    config, cpu = study.config, torch.device("cpu")
    data = open_data(config.data, config.protocol)
    frame = study.trials_dataframe().set_index("architecture_id")
    assert len(frame) == 2
    for architecture, trial in frame.iterrows():
        model = study.load(str(architecture)[:8])
        assert not model.training
        found = score(model, data.validation_batches(cpu), data.protocol, cpu)
        assert found == (trial["validation_loss"], trial["accuracy"])
    best = study.best()[0].architecture_id
    weights = study.load(best).state_dict()
    assert all(torch.equal(tensor, weights[n]) for n, tensor in study.load().state_dict().items())
    assert model(torch.zeros(2, 1, 28, 28)).shape == (2, 10)


def test_the_data_frame_has_the_names_and_numbers_of_best(study: Study) -> None:
    frame = study.trials_dataframe()
    assert tuple(frame.columns) == COLUMNS
    assert list(frame["trial"]) == [0, 1]
    assert list(frame["state"]) == ["complete"] * 2
    for row in study.best(top=None):
        plain = row.plain()
        trial = frame[frame["trial"] == row.trial].iloc[0]
        for name in {*plain} & {*COLUMNS}:
            assert trial[name] == plain[name], name
        architecture = study.architecture(row.architecture_id[:10])
        assert architecture.id == row.architecture_id
        assert study.space.contains(architecture)
        assert architecture.cost().params == trial["params"]
    assert pd.api.types.is_float_dtype(frame["accuracy"])
    first = study.best(top=1)
    assert first[0].accuracy == frame["accuracy"].max()
    assert [row.trial for row in study.best(f"params = {first[0].params}")] == [first[0].trial]
    assert first[0] in study.pareto()
    assert study.pareto("macs") == sorted(study.pareto("macs"), key=lambda row: row.macs)
    assert study.front()[0].values["validation_accuracy"] == first[0].accuracy
    with pytest.raises(InputError, match="cost: 'watts' is not allowed"):
        study.pareto("watts")  # type: ignore[arg-type]
    with pytest.raises(InputError):
        study.best("params <")


def test_a_study_shows_how_far_it_is_without_markup_of_its_words(study: Study) -> None:
    shown = ElementTree.fromstring(study._repr_html_())
    assert "2 of 2 trials done (2 complete)" in (shown[0].text or "")
    rows = [[cell.text for cell in row] for row in shown.iter("tr")]
    assert [row[0] for row in rows[1:]] == [row.architecture_id for row in study.best()]


def test_a_result_that_was_taken_over_has_the_weights_of_its_source(
    study: Study, player: Player
) -> None:
    other = mixspace.run(study.config, study="other", progress=False)
    wanted = study.load().state_dict()
    with open_store(other.store, create=False) as store:
        record = store.studies.get("other")
        trials = store.trials.of_study(record.id)
    assert all(trial.source_trial_id is not None for trial in trials)
    adopted = [Checkpoints.of(record, other.store).find(trial) for trial in trials]
    for gone in (False, True):
        for file in adopted if gone else []:
            assert file is not None
            file.unlink()
        found = other.load().state_dict()
        assert all(torch.equal(tensor, found[name]) for name, tensor in wanted.items())


def test_weights_that_are_gone_or_of_another_are_refused(study: Study) -> None:
    with open_store(study.store, create=False) as store:
        record = store.studies.get("tiny")
        trials = store.trials.of_study(record.id)
    files = [Checkpoints.of(record, study.store).find(trial) for trial in trials]
    first, second = (file for file in files if file is not None)
    kept = first.read_bytes()
    try:
        first.write_bytes(second.read_bytes())
        with pytest.raises(InputError, match="was written for architecture"):
            study.load(trials[0].architecture_id)
        first.unlink()
        with pytest.raises(
            InputError, match=r"the weights of trial 0 \(.*\) are gone: there is no"
        ):
            study.load(trials[0].architecture_id)
    finally:
        first.write_bytes(kept)
    with pytest.raises(InputError, match="'zzz' is no id"):
        study.load("zzz")


@pytest.mark.parametrize("top", ["3", 2.5, True, 0])
def test_a_number_of_rows_that_is_none_is_refused(study: Study, top: Any) -> None:
    with pytest.raises(InputError, match=f"{top!r} is not allowed; must be 1 to"):
        study.best(top=top)
    with open_store(Path(study.store), create=False) as store:
        assert store.studies.exists("tiny")
