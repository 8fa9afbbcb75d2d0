"""A study that finetunes what another one has trained, on other images and classes; without Ray."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from search.config import Config
from search.runner import prepare
from search.store import TrialState, open_store
from space.errors import InputError
from tests.docs.workshop import train_here
from tests.search.driving import begin, end
from tests.search.small import values
from tests.trainers.tiny import image_folder

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
