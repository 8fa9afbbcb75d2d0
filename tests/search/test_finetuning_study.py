"""A study that finetunes what another one has trained, on other images and classes; without Ray."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from search.cli.program import run_program
from search.config import Config
from search.driver.checkpoints import Checkpoints
from search.driver.sources import note_on_classes
from search.runner import prepare
from search.runner.retraining import to_retrain
from search.store import TrialState, open_store
from space.errors import InputError
from tests.docs.workshop import train_here, without_ray
from tests.search.driving import begin, end
from tests.search.small import values
from tests.support.samples import add_study
from tests.trainers.tiny import image_folder
from trainers.checkpoint import load_checkpoint

SPACE: dict[str, Any] = {
    "name": "one",
    "stem": {"patch_size": 4},
    "block_type": "prenorm",
    "mixers": [{"operator": "dw-s conv.", "kernel_size": 3}],
    "stages": [{"depth": 1, "width": [8], "mlp_ratio": 2}],
}


def settings(folder: Path, name: str, images: Path, size: int, classes: int, **more: Any) -> Config:
    protocol = {"epochs": 1, "batch_size": 8, "warmup_epochs": 0.5, "validation_fraction": 0.3}
    return Config.from_dict(
        values(
            study=name,
            store=str(folder / "two.db"),
            checkpoints=str(folder / "checkpoints"),
            space=SPACE | {"input": {"channels": 3, "size": size}, "classes": classes},
            data={"name": "image-folder", "folder": str(images)},
            protocol=protocol | {"augmentation": {"image_size": size}} | more.pop("protocol", {}),
            trials=1,
            **more,
        )
    )


def trained(config: Config) -> str:
    """Run the study here; the hash of its protocol."""
    prepared = prepare(config, resume=False)
    with open_store(config.store, create=True) as store:
        inspected = prepared.description.inspected
        assert inspected is not None
        session = begin(store, prepared.config, prepared.protocol, inspected=inspected.to_dict())
        train_here(session)
        end(store, session)
        return session.record.protocol_hash


def test_from_many_classes_to_few_larger_images(tmp_path: Path) -> None:
    many = image_folder(tmp_path / "many")
    few = tmp_path / "few"
    shutil.copytree(many, few)
    for part in ("train", "val"):
        shutil.rmtree(few / part / "green")
    source = trained(settings(tmp_path, "pre", many, 32, 3))
    finetune = {"protocol": {"initialisation": "finetuned"}, "finetune_from": "pre"}
    config = settings(tmp_path, "fine", few, 48, 2, **finetune)
    hash_ = trained(config)
    with open_store(config.store, create=False) as store:
        study = store.studies.get("fine")
        (trial,) = store.trials.of_study(study.id)
        assert (trial.state, trial.epochs_done) == (TrialState.COMPLETE, 1)
        assert study.protocol["source_protocol"] == source
        assert study.protocol_hash == hash_ != source
    assert prepare(config, resume=True).protocol.source_protocol == source  # as it was written


def test_as_many_other_classes_are_told_apart_by_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    colours, animals = image_folder(tmp_path / "colours"), tmp_path / "animals"
    shutil.copytree(colours, animals)
    for part in ("train", "val"):
        (animals / part / "green").rename(animals / part / "cat")
    without_ray(monkeypatch, tmp_path)
    said, weights = {}, {}
    for name, images in {"pre": colours, "same": colours, "other": animals}.items():
        finetune = {"protocol": {"initialisation": "finetuned"}, "finetune_from": "pre"}
        config = settings(tmp_path, name, images, 32, 3, **({} if name == "pre" else finetune))
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(config.to_dict()))
        # Nothing is learnt: the weights are those that it began with.
        rates = ("learning_rate=1e-9", "warmup_learning_rate=0", "minimum_learning_rate=0")
        still = [word for rate in rates for word in ("--set", f"protocol.{rate}")]
        more = [] if name == "pre" else still
        assert run_program(["run", str(tmp_path / f"{name}.yaml"), *more]) == 0
        said[name] = capsys.readouterr()
        with open_store(config.store, create=False) as store:
            study = store.studies.get(name)
            (trial,) = store.trials.of_study(study.id)
            place = Checkpoints.of(study, store.url).find(trial)
        assert place is not None
        weights[name] = load_checkpoint(place).part("model")["head.classify.weight"]
    note = "As many classes as in 'pre' have other names (blue, green, red; here blue, cat, red): "
    assert note + "the classifier is drawn anew." in " ".join(said["other"].out.split())
    assert f"note: {note}" in said["other"].err
    assert "As many classes" not in said["same"].err
    assert torch.allclose(weights["same"], weights["pre"], atol=1e-5)
    assert not torch.allclose(weights["other"], weights["pre"], atol=1e-2)


def test_what_cannot_be_started_from_is_refused_before_work_starts(tmp_path: Path) -> None:
    many = image_folder(tmp_path / "many")
    way = {"initialisation": "finetuned"}
    with pytest.raises(InputError, match="finetune_from: is needed where"):
        settings(tmp_path, "fine", many, 32, 3, protocol=way)
    with pytest.raises(InputError, match=r"finetune_from: goes only where .* it is scratch"):
        settings(tmp_path, "fine", many, 32, 3, finetune_from="pre")
    config = settings(tmp_path, "fine", many, 32, 3, protocol=way, finetune_from="pre")
    with pytest.raises(InputError, match="finetune_from: there is no study 'pre' in the store"):
        prepare(config, resume=False)
    trained(settings(tmp_path, "pre", many, 32, 3))
    pinned = {"protocol": way | {"source_protocol": "0" * 16}, "finetune_from": "pre"}
    config = settings(tmp_path, "fine", many, 32, 3, **pinned)
    with pytest.raises(InputError, match=r"source_protocol: study .pre. has protocol \w{16};"):
        prepare(config, resume=False)


def finetuned(tmp_path: Path) -> Config:
    """A search that was finetuned from another one, on fewer classes."""
    many, few = image_folder(tmp_path / "many"), tmp_path / "few"
    shutil.copytree(many, few)
    for part in ("train", "val"):
        shutil.rmtree(few / part / "green")
    trained(settings(tmp_path, "pre", many, 32, 3))
    way = {"initialisation": "finetuned"}
    config = settings(tmp_path, "fine", few, 32, 2, protocol=way, finetune_from="pre")
    trained(config)
    return config


def test_what_was_finetuned_in_a_search_is_finetuned_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = finetuned(tmp_path)
    without_ray(monkeypatch, tmp_path)
    words = ["retrain", "--top", "1", "--study", "fine", "--seeds", "2", "--store", config.store]
    assert run_program([*words, "--set", "protocol.epochs=2"]) == 0
    with open_store(config.store, create=False) as store:
        source, search, full = map(store.studies.get, ("pre", "fine", "fine-retrained"))
        (first,) = store.trials.of_study(source.id)
        trials = store.trials.of_study(full.id)
        places = Checkpoints.of(full, store.url)
        files = [places.find(trial) for trial in trials]
    assert [(trial.state, trial.epochs_done) for trial in trials] == [(TrialState.COMPLETE, 2)] * 2
    assert full.protocol["source_protocol"] == source.protocol_hash
    assert full.protocol_hash != search.protocol_hash
    assert full.config["finetune_from"] == "pre"
    for file in files:
        assert file is not None
        assert load_checkpoint(file).state["inherited_from"] == first.architecture_id
    capsys.readouterr()
    assert run_program(words) == 0
    assert "There was nothing left to do" in capsys.readouterr().out
    assert run_program([*words, "--set", "finetune_from=fine"]) == 2
    assert "finetune_from: 'fine-retrained' was begun with 'pre'; got 'fine'" in (
        capsys.readouterr().err
    )


def test_what_a_search_found_from_scratch_is_finetuned_where_that_is_asked_for(
    tmp_path: Path,
) -> None:
    config = finetuned(tmp_path)
    way = "protocol.initialisation=finetuned"
    asked: dict[str, Any] = {"top": 1, "study": "pre"}
    found = to_retrain(config.store, overrides=[way, "finetune_from=fine"], **asked)
    assert found.config.finetune_from == "fine"
    assert to_retrain(config.store, **asked).config.finetune_from is None
    scratch = to_retrain(
        config.store, top=1, study="fine", overrides=["protocol.initialisation=scratch"]
    )
    assert (scratch.config.finetune_from, scratch.config.protocol.source_protocol) == (None, None)
    for overrides, said in (
        ([way], "finetune_from: is needed where protocol.initialisation is finetuned"),
        (["finetune_from=fine"], "finetune_from: goes only where"),
        ([way, "finetune_from=lost"], "finetune_from: there is no study 'lost' in the store"),
        (
            ["protocol.initialisation=inherited"],
            "a full training inherits nothing; got 'inherited'",
        ),
    ):
        with pytest.raises(InputError, match=said):
            to_retrain(config.store, overrides=overrides, **asked)
    shutil.rmtree(config.checkpoints)
    with pytest.raises(InputError, match=r"'fine' has no finished training with its weights of "):
        to_retrain(config.store, overrides=[way, "finetune_from=fine"], **asked)


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (["a", "b"], None),
        (["a", "b", "c"], None),
        (
            ["b", "a"],
            "As many classes as in 'pre' have the same names in another order (a, b): the "
            "classifier follows them.",
        ),
        (
            ["a", "x"],
            "As many classes as in 'pre' have other names (a, b; here a, x): the classifier is "
            "drawn anew.",
        ),
    ],
)
def test_what_becomes_of_the_classifier_is_said(
    tmp_path: Path, now: list[str], said: str | None
) -> None:
    with open_store(str(tmp_path / "a.db"), create=True) as store:
        source = add_study(store, "pre")
    objective = source.objective | {"data": {"class_names": ["a", "b"]}}
    assert note_on_classes(replace(source, objective=objective), now) == said
