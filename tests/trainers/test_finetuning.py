"""Starting from a finished training of the same network on other images and classes."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from space import Architecture
from space.errors import InputError
from tests.trainers.proofs import proves
from tests.trainers.tiny import SEEDS, architecture, image_folder, short_protocol
from trainers import Protocol, SearchData, Seeds, SourceNetwork, Training, open_data
from trainers.checkpoint import load_checkpoint

ATTENTION = {"locality": "window", "sharing": "channel", "dynamics": "attention", "heads": 2}
WINDOWS: dict[str, Any] = ATTENTION | {"kernel_size": 2, "block_type": "prenorm"}
BOUND = {"locality": "global", "sharing": "none", "kernel_size": None}
"""Spatial-mixing weights of its own for every pair of positions."""


def of_folder(folder: Path, size: int, **changes: Any) -> SearchData:
    values = {"data": "image-folder", "epochs": 1, "batch_size": 8, "warmup_epochs": 0.5}
    values |= {"validation_fraction": 0.3, "augmentation": {"image_size": size}} | changes
    return open_data({"name": "image-folder", "folder": str(folder)}, short_protocol(**values))


def network(size: int, classes: int, **mixer: Any) -> Architecture:
    return architecture(channels=3, size=size, classes=classes, **{**WINDOWS, **mixer})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One of three classes, and one of two."""
    many = image_folder(tmp_path_factory.mktemp("many"))
    few = tmp_path_factory.mktemp("few") / "few"
    shutil.copytree(many, few)
    for part in ("train", "val"):
        shutil.rmtree(few / part / "green")
    return many, few


@pytest.fixture(scope="module")
def trained(folders: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> SourceNetwork:
    """A finished training on images of 32 and three classes."""
    data = of_folder(folders[0], 32)
    path = tmp_path_factory.mktemp("source") / "weights"
    found = Training(network(32, 3), data.protocol, data, seeds=SEEDS, checkpoint_path=path)
    found.run_epoch()
    return SourceNetwork(found.architecture, path, data.protocol)


def finetuned(
    source: SourceNetwork, folder: Path, size: int, classes: int, **changes: Any
) -> Training:
    data = of_folder(
        folder,
        size,
        **{"initialisation": "finetuned", "source_protocol": source.protocol.hash} | changes,
    )
    chosen = network(size, classes)
    return Training(chosen, data.protocol, data, seeds=Seeds(8, 9), start_from=source)


def maps(found: Training, images: torch.Tensor) -> torch.Tensor:
    model: Any = found.model.eval()
    with torch.no_grad():
        last: torch.Tensor = model.forward_stages(images)[-1]
    return last


@proves("initialisation", "source_protocol")
def test_everything_but_the_classifier_is_that_of_the_source(
    trained: SourceNetwork, folders: tuple[Path, Path]
) -> None:
    found = finetuned(trained, folders[1], 32, 2)
    assert found.inherited_from == trained.architecture.id
    images = torch.randn(2, 3, 32, 32)
    data = of_folder(folders[0], 32)
    source = Training(
        trained.architecture, data.protocol, data, seeds=SEEDS, checkpoint_path=trained.checkpoint
    )
    assert torch.equal(maps(found, images), maps(source, images))
    head: Any = found.model.get_submodule("head.classify")
    assert (head.weight.shape, float(head.bias.detach().abs().max())) == ((2, 16), 0.0)
    again = finetuned(trained, folders[1], 32, 2)
    assert torch.equal(again.model.get_parameter("head.classify.weight"), head.weight)
    assert found.run_epoch().epoch == 1
    same = finetuned(trained, folders[0], 32, 3)  # of the same classes nothing is drawn anew
    weight = "head.classify.weight"
    assert torch.equal(same.model.get_parameter(weight), source.model.get_parameter(weight))


def test_the_new_classifier_begins_as_the_protocol_wants(
    trained: SourceNetwork, folders: tuple[Path, Path]
) -> None:
    """Of deviation 0.02, or 1/√fan-in, which is a quarter."""
    for way, deviation in (("published", 0.02), ("lecun", 0.25)):
        found = finetuned(trained, folders[1], 32, 2, weight_init=way)
        drawn = found.model.get_parameter("head.classify.weight")
        assert deviation / 2 < float(drawn.detach().std()) < 2 * deviation


def renamed(source: SourceNetwork, *names: str) -> SourceNetwork:
    """As if its classes had been called so."""
    return replace(source, class_names=names)


@pytest.mark.parametrize(
    ("names", "outputs"),
    [
        ((), [0, 1, 2]),  # nothing is known
        (("blue", "green", "red"), [0, 1, 2]),
        (("red", "blue", "green"), [1, 2, 0]),
        (("blue", "green", "yellow"), None),
        (("cat", "dog", "horse"), None),
    ],
)
def test_as_many_classes_of_other_names_get_a_new_classifier(
    names: tuple[str, ...],
    outputs: list[int] | None,
    trained: SourceNetwork,
    folders: tuple[Path, Path],
) -> None:
    before = load_checkpoint(trained.checkpoint).part("model")["head.classify.weight"]
    found = finetuned(renamed(trained, *names), folders[0], 32, 3)
    weight = found.model.get_parameter("head.classify.weight")
    if outputs is None:
        assert all(not torch.equal(row, other) for row in weight for other in before)
        assert not found.model.get_parameter("head.classify.bias").detach().any()
    else:
        assert torch.equal(weight, before[outputs])


def test_images_may_have_another_size(
    trained: SourceNetwork, folders: tuple[Path, Path], tmp_path: Path
) -> None:
    found = finetuned(trained, folders[1], 48, 2)
    assert found.run_epoch().epoch == 1
    found.save(tmp_path / "c")
    data = found.data
    again = Training(
        network(48, 2), data.protocol, data, seeds=Seeds(8, 9), checkpoint_path=tmp_path / "c"
    )
    assert again.done  # the source is not needed any more
    weight = "stages.0.0.mlp.expand.weight"
    assert torch.equal(again.model.get_parameter(weight), found.model.get_parameter(weight))


def test_a_protocol_that_finetunes_needs_a_source_and_no_other_takes_one(
    trained: SourceNetwork, folders: tuple[Path, Path]
) -> None:
    data = of_folder(folders[1], 32, initialisation="finetuned", source_protocol="0" * 16)
    with pytest.raises(InputError, match="start_from: is needed where"):
        Training(network(32, 2), data.protocol, data, seeds=SEEDS)
    with pytest.raises(InputError, match=r"source: protocol\.source_protocol: must be [0-9a-f]+,"):
        Training(network(32, 2), data.protocol, data, seeds=SEEDS, start_from=trained)
    plain = of_folder(folders[1], 32)
    with pytest.raises(InputError, match="start_from: not allowed where"):
        Training(network(32, 2), plain.protocol, plain, seeds=SEEDS, start_from=trained)
    with pytest.raises(InputError, match="only where initialisation is finetuned"):
        Protocol.from_dict({"source_protocol": "0" * 16})


def _gone(source: SourceNetwork, folder: Path) -> SourceNetwork:
    return SourceNetwork(source.architecture, folder / "gone", source.protocol)


def _longer(source: SourceNetwork, folder: Path) -> SourceNetwork:
    """As if its training had been to go on."""
    longer = source.protocol.model_copy(update={"epochs": 2})
    return SourceNetwork(source.architecture, source.checkpoint, longer)


def _another(source: SourceNetwork, folder: Path) -> SourceNetwork:
    wider = network(32, 3, kernel_size=4)
    return SourceNetwork(wider, source.checkpoint, source.protocol)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (_gone, "checkpoint: .*gone does not exist"),
        (_longer, "checkpoint: .* was written for protocol"),
        (_another, "architecture: .* is another network than .*: they differ in stages"),
    ],
)
def test_other_sources_are_refused(
    changed: Callable[[SourceNetwork, Path], SourceNetwork],
    said: str,
    trained: SourceNetwork,
    folders: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=f"^source: {said}"):
        finetuned(changed(trained, tmp_path), folders[1], 32, 2)


def test_weights_for_one_size_are_refused_at_another(
    folders: tuple[Path, Path], tmp_path: Path
) -> None:
    data = of_folder(folders[0], 32)
    bound = architecture(channels=3, size=32, classes=3, block_type="prenorm", **BOUND)
    source = SourceNetwork(bound, tmp_path / "c", data.protocol)
    Training(bound, data.protocol, data, seeds=SEEDS, checkpoint_path=tmp_path / "c").run_epoch()
    changes = {"initialisation": "finetuned", "source_protocol": data.protocol.hash}
    larger = of_folder(folders[1], 48, **changes)
    chosen = architecture(channels=3, size=48, classes=2, block_type="prenorm", **BOUND)
    with pytest.raises(InputError, match=r"source: .*stages\[0\]"):
        Training(chosen, larger.protocol, larger, seeds=SEEDS, start_from=source)
