"""What every kind of data keeps to: a suite that the test of each kind inherits.

A subclass writes small data of its kind by `write`, and gets all tests below.
"""

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from space.errors import InputError
from tests.trainers.tiny import SEEDS, architecture
from trainers import (
    DataConfig,
    Protocol,
    SearchData,
    TestReading,
    TestSplitLocked,
    Training,
    data_shape,
    describe_data,
    lock_test_split,
    open_data,
    open_test_split,
)
from trainers.data.image_folder.image_index import Inspected
from trainers.protocol import Decoded, get_args

EDGE, CLASSES = 16, 3
TRAIN, TEST = 24, 6


class Images:
    """What a kind writes: pixels (count, 16, 16, 3) and labels 0, 1, 2 of both parts."""

    def __init__(self) -> None:
        draw = np.random.default_rng(0)
        self.train, self.test = (
            draw.integers(0, 256, (count, EDGE, EDGE, 3), np.uint8) for count in (TRAIN, TEST)
        )
        self.train_labels, self.test_labels = (
            np.arange(count) % CLASSES for count in (TRAIN, TEST)
        )

    def parts(self) -> list[tuple[str, NDArray[np.uint8], NDArray[np.int64]]]:
        return [
            ("train", self.train, self.train_labels),
            ("test", self.test, self.test_labels),
        ]


class DataContract(ABC):
    """The suite. Set `grey` where the kind writes one channel, `edge` where it is not 16 pixels."""

    __test__ = False
    grey = False
    edge = EDGE

    @abstractmethod
    def write(self, folder: Path, images: Images) -> dict[str, Any]:
        """Write the images into an empty folder; the configuration that names them."""

    def __init_subclass__(cls) -> None:
        cls.__test__ = not getattr(cls, "abstract", False)

    @pytest.fixture(autouse=True)
    def own_cache(
        self, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path_factory.mktemp("cache")))

    @pytest.fixture
    def config(self, tmp_path: Path) -> dict[str, Any]:
        return self.written(tmp_path / "data", Images())

    def written(self, folder: Path, images: Images) -> dict[str, Any]:
        folder.mkdir()
        return self.write(folder, images)

    def protocol(self, config: dict[str, Any], **changes: Any) -> Protocol:
        decoded = config["name"] in get_args(Decoded)
        written = {
            "data": config["name"],
            "epochs": 2,
            "batch_size": 6,
            "warmup_epochs": 0.5,
            "validation_fraction": 0.25,
            "augmentation": {"image_size": EDGE} if decoded else {"crop_padding": 2},
        }
        return Protocol.from_dict(written | changes)

    def open(self, config: dict[str, Any], **changes: Any) -> SearchData:
        return open_data(config, self.protocol(config, **changes))

    def test_the_shape_is_known_before_and_kept(self, config: dict[str, Any]) -> None:
        protocol = self.protocol(config)
        shape, found = data_shape(config, protocol), describe_data(config, protocol)
        for name in ("name", "channels", "height", "width", "classes", "class_names"):
            assert getattr(shape, name) == getattr(found, name)
        assert (shape.channels, shape.height, shape.width) == (
            1 if self.grey else 3,
            self.edge,
            self.edge,
        )
        assert found.train_images + found.validation_images == TRAIN
        images, labels = next(self.open(config).train_batches(1, 0))
        assert images.shape == (6, shape.channels, self.edge, self.edge)
        assert images.stride(1) == 1
        assert (images.dtype, labels.dtype) == (torch.float32, torch.int64)
        assert len(found.mean) == len(found.std) == shape.channels

    def test_epoch_and_seed_decide_the_batches_and_nothing_else(
        self, config: dict[str, Any]
    ) -> None:
        def batches(epoch: int, seed: int) -> list[torch.Tensor]:
            data = self.open(config)
            return [each for batch in data.train_batches(epoch, seed) for each in batch]

        torch.manual_seed(1)
        expected = torch.rand(3)
        torch.manual_seed(1)
        first = batches(1, 5)
        assert torch.equal(torch.rand(3), expected)  # the global generators are left alone
        assert all(map(torch.equal, first, batches(1, 5)))
        for other in (batches(2, 5), batches(1, 6)):
            assert not all(map(torch.equal, first, other))

    def test_validation_is_whole_and_always_the_same(self, config: dict[str, Any]) -> None:
        data = self.open(config)
        once, twice = (list(data.validation_batches()) for _ in range(2))
        labels = torch.cat([labels for _, labels in once])
        assert len(labels) == data.description.validation_images
        assert all(torch.equal(a[0], b[0]) for a, b in zip(once, twice, strict=True))
        share = float(labels.bincount().max()) / len(labels)
        assert data.description.chance == pytest.approx(share)

    def test_limits_are_kept_and_change_the_protocol(self, config: dict[str, Any]) -> None:
        protocol = self.protocol(config)
        limited = config | {"limit_train": 9, "limit_validation": 3}
        whole, part = describe_data(config, protocol), describe_data(limited, protocol)
        assert (part.train_images, part.validation_images) == (9, 3)
        assert whole.content_hash == part.content_hash
        assert len({protocol.hash, whole.protocol.hash, part.protocol.hash}) == 3

    def test_one_pixel_or_label_makes_other_data_and_the_test_part_does_not(
        self, config: dict[str, Any], tmp_path: Path
    ) -> None:
        def hash_of(name: str, **changed: Any) -> str:
            images = Images()
            for field, place in changed.items():
                getattr(images, field)[place] ^= 1
            found = self.written(tmp_path / name, images)
            return describe_data(found, self.protocol(found)).content_hash

        first = describe_data(config, self.protocol(config)).content_hash
        assert hash_of("same") == first
        assert hash_of("test", test=(0, 3, 3, 0)) == first
        assert hash_of("pixel", train=(0, 3, 3, 0)) != first
        assert hash_of("label", train_labels=0) != first

    def test_the_test_part_is_read_by_the_audited_call_alone(self, config: dict[str, Any]) -> None:
        readings: list[TestReading] = []
        asked = {"architecture_id": "a", "record": readings.append}
        with lock_test_split(), pytest.raises(TestSplitLocked):
            open_test_split(config, self.protocol(config), **asked)
        assert readings == []
        split = open_test_split(config, self.protocol(config), **asked)
        batches = list(split.batches("cpu"))
        assert (readings[0].images, sum(len(labels) for _, labels in batches)) == (TEST, TEST)
        searched = describe_data(config, self.protocol(config))
        assert readings[0].content_hash != searched.content_hash
        assert batches[0][0].shape[1:] == (searched.channels, self.edge, self.edge)
        levels = batches[0][0] * torch.tensor(searched.std)[:, None, None]
        levels += torch.tensor(searched.mean)[:, None, None]
        assert -0.01 < float(levels.min()) < float(levels.max()) < 1.01  # normalised alike

    def test_a_worker_opens_what_the_driver_described(self, config: dict[str, Any]) -> None:
        described = describe_data(config, self.protocol(config))
        inspected = None
        if described.inspected is not None:
            plain = json.loads(json.dumps(described.inspected.to_dict()))
            inspected = Inspected.from_dict(plain)
        opened = open_data(config, described.protocol, inspected).description
        for name in ("content_hash", "split_hash", "train_images", "class_names", "mean", "std"):
            assert getattr(opened, name) == getattr(described, name)

    def test_a_training_that_is_taken_up_ends_as_an_unbroken_one(
        self, config: dict[str, Any], tmp_path: Path
    ) -> None:
        found = describe_data(config, self.protocol(config))
        chosen = architecture(found.channels, self.edge, found.classes)

        def training(name: str) -> Training:
            data, path = self.open(config), tmp_path / name
            return Training(chosen, data.protocol, data, seeds=SEEDS, checkpoint_path=path)

        whole = training("whole")
        while not whole.done:
            whole.run_epoch()
        for _ in range(2):
            broken = training("broken")
            broken.run_epoch()
        assert broken.done
        for one, other in zip(whole.model.parameters(), broken.model.parameters(), strict=True):
            assert torch.equal(one, other)

    def test_the_configuration_reads_back_and_is_for_one_kind(self, config: dict[str, Any]) -> None:
        read = DataConfig.from_dict(config)
        assert DataConfig.from_dict(json.loads(json.dumps(read.to_dict()))) == read
        assert DataConfig(**config) == read
        other = "idx" if config["name"] != "idx" else "npz"
        with pytest.raises(InputError, match=r"^protocol\.data: is for "):
            describe_data(config, Protocol.from_dict({"data": other}))
        with pytest.raises(InputError, match=r"^data\.colour: unknown field; allowed: "):
            DataConfig.from_dict(config | {"colour": 1})


class PictureContract(DataContract):
    """What kinds keep to besides whose pictures are decoded by workers."""

    abstract = True

    def __init_subclass__(cls) -> None:
        cls.abstract = False
        super().__init_subclass__()

    def test_batches_do_not_depend_on_the_number_of_workers(self, config: dict[str, Any]) -> None:
        def batches(workers: int) -> list[torch.Tensor]:
            data = self.open(config | {"workers": workers})
            return [each for batch in data.train_batches(1, 5) for each in batch]

        assert all(map(torch.equal, batches(0), batches(2)))
