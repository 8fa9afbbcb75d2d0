"""The fields of a protocol that choose the data, the seeds and the first weights."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from space.errors import InputError
from tests.trainers.proofs import proves
from tests.trainers.tiny import SEEDS, architecture, image_folder, short_protocol, small_data
from trainers import ParentNetwork, Protocol, Seeds, Training, open_data
from trainers.data.split import Split, split_train_validation

LABELS: NDArray[np.int64] = np.arange(400) % 10


@proves("data")
def test_the_data_are_those_of_the_name(tmp_path: Path) -> None:
    folder = {"name": "image-folder", "folder": str(image_folder(tmp_path))}
    of_folder = {"data": "image-folder", "augmentation": {"image_size": 32}}
    assert open_data({}, Protocol()).description.channels == 1
    assert open_data(folder, Protocol.from_dict(of_folder)).description.channels == 3
    for config, protocol in ((folder, Protocol()), ({}, Protocol.from_dict(of_folder))):
        with pytest.raises(InputError, match=r"protocol\.data"):
            open_data(config, protocol)


@proves("content_hash", "split_hash")
@pytest.mark.parametrize("name", ["content_hash", "split_hash"])
def test_pinned_data_are_those_that_are_opened(name: str) -> None:
    found = small_data(short_protocol()).description
    right = small_data(short_protocol(**{name: getattr(found, name)})).description
    assert right.content_hash == found.content_hash
    with pytest.raises(InputError, match=rf"protocol\.{name}: pinned to 0123456789abcdef"):
        small_data(short_protocol(**{name: "0123456789abcdef"}))


def split_of(**options: Any) -> Split:
    chosen = {"seed": 0, "validation_fraction": 0.2} | options
    return split_train_validation(LABELS, **chosen)


def held_out(**written: Any) -> torch.Tensor:
    """The validation images of real data under a protocol."""
    data = open_data({"limit_validation": 200}, Protocol.from_dict(written))
    return torch.cat([images for images, _ in data.validation_batches()])


@proves("split_seed")
def test_the_split_seed_draws_the_validation_images() -> None:
    one, other = split_of(seed=0), split_of(seed=1)
    assert sorted(one.validation) == sorted(split_of(seed=0).validation)
    assert len(set(one.validation) & set(other.validation)) < 40  # 16 of 80 by chance
    for split in (one, other):
        assert sorted([*split.train, *split.validation]) == list(range(400))
    assert torch.equal(held_out(), held_out(split_seed=0))
    assert not torch.equal(held_out(), held_out(split_seed=1))


@proves("validation_fraction")
@pytest.mark.parametrize("share", [0.1, 0.2, 0.5])
def test_that_share_of_the_images_is_held_out(share: float) -> None:
    assert len(split_of(validation_fraction=share).validation) == 400 * share
    described = open_data({}, Protocol(validation_fraction=share)).description
    total = described.train_images + described.validation_images
    assert described.validation_images / total == pytest.approx(share, abs=0.002)


@proves("seed_policy")
def test_the_seeds_are_those_of_the_architecture_or_of_all() -> None:
    own, shared = Protocol(), Protocol(seed_policy="shared")
    names = ("a", "b", "c")
    for part in ("initialisation", "data_order"):
        assert len({getattr(own.seeds(1, name), part) for name in names}) == 3
        assert len({getattr(shared.seeds(1, name), part) for name in names}) == 1
        assert getattr(shared.seeds(1, "a"), part) != getattr(shared.seeds(2, "a"), part)


@proves("initialisation")
def test_weights_are_drawn_or_inherited(tmp_path: Path) -> None:
    protocol = short_protocol(epochs=1, initialisation="inherited")
    data = small_data(protocol)
    images = next(iter(data.validation_batches()))[0]

    def begun(kernel: int, **options: Any) -> Training:
        chosen = architecture(kernel_size=kernel)
        return Training(chosen, protocol, data, **{"seeds": SEEDS} | options)

    parent = begun(3, checkpoint_path=tmp_path / "parent")
    parent.run_epoch()
    source = ParentNetwork(parent.architecture, tmp_path / "parent")
    child, scratch = begun(5, inherit_from=source, seeds=Seeds(8, 9)), begun(5)
    assert child.inherited_from == parent.architecture.id
    assert scratch.inherited_from is None
    with torch.no_grad():
        expected = parent.model.eval()(images)
        assert torch.allclose(child.model.eval()(images), expected, atol=1e-4)
        assert not torch.allclose(scratch.model.eval()(images), expected, atol=1e-1)
    plain = short_protocol(epochs=1)
    chosen = {"seeds": SEEDS, "inherit_from": source}
    with pytest.raises(InputError, match="inherit_from"):
        Training(architecture(kernel_size=5), plain, small_data(plain), **chosen)


@pytest.mark.parametrize(("images", "chance"), [(7, 1 / 7), (10, 1 / 10), (15, 2 / 15)])
def test_the_chance_is_that_of_the_validation_images(images: int, chance: float) -> None:
    """What guessing the commonest class of them scores on them, whatever is trained on."""
    data = small_data(Protocol(), limit_train=192, limit_validation=images)
    labels = torch.cat([labels for _, labels in data.validation_batches()])
    assert data.description.chance == pytest.approx(chance)
    assert float(labels.bincount().max()) / len(labels) == pytest.approx(chance)
