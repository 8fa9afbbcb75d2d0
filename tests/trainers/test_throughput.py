"""How fast pictures come and the network takes them, and that measuring changes nothing."""

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.trainers.tiny import SEEDS, architecture, image_folder, training
from trainers import Protocol, Training, open_data, throughput_probe
from trainers.data import folder_data
from trainers.throughput import Throughput
from trainers.throughput_probe import measure_throughput


def rates(loader: float, network: float, workers: int = 2, cores: int = 16) -> Throughput:
    return Throughput(loader, network, workers, cores, "cuda")


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            rates(310, 1200),
            "Loader: 310 images/s by 2 workers; the network takes 1,200 on cuda: raise "
            "data.workers to 9, and resources.cpus_per_trial to 10.",
        ),
        (
            rates(155, 1200, 0),
            "Loader: 155 images/s by the process that trains; the network takes 1,200 on cuda: "
            "raise data.workers to 9, and resources.cpus_per_trial to 10.",
        ),
        (
            rates(310, 4000, 1, 8),
            "Loader: 310 images/s by 1 worker; the network takes 4,000 on cuda: raise data.workers "
            "to 7; the 8 cores here decode too slowly: store the pictures at about "
            "protocol.augmentation.image_size, or train on a machine with more cores.",
        ),
        (
            rates(217, 203, 0, 2),
            "Loader: 217 images/s by the process that trains; the network takes 203 on cuda: raise "
            "data.workers to 1; the 2 cores here decode too slowly: store the pictures at about "
            "protocol.augmentation.image_size, or train on a machine with more cores.",
        ),
        (
            rates(217, 203, 0, 1),
            "Loader: 217 images/s by the process that trains; the network takes 203 on cuda: the 1 "
            "cores here decode too slowly: store the pictures at about "
            "protocol.augmentation.image_size, or train on a machine with more cores.",
        ),
        (
            rates(310, 4000, 7, 8),
            "Loader: 310 images/s by 7 workers; the network takes 4,000 on cuda: the 8 cores here "
            "decode too slowly: store the pictures at about protocol.augmentation.image_size, or "
            "train on a machine with more cores.",
        ),
        (
            rates(1320, 1200),
            "Loader: 1,320 images/s by 2 workers; the network takes 1,200 on cuda: it does not "
            "wait for pictures.",
        ),
        (
            rates(310, 4.2, 0),
            "Loader: 310 images/s by the process that trains; the network takes 4.2 on cuda: it "
            "does not wait for pictures.",
        ),
    ],
)
def test_what_to_change_is_told(found: Throughput, said: str) -> None:
    assert found.sentence() == said
    assert Throughput.from_dict(json.loads(json.dumps(found.to_dict()))) == found


def test_with_enough_workers_it_keeps_up() -> None:
    for network in (100.0, 331.0, 1200.0, 4000.0):
        for workers in (0, 1, 3):
            before = rates(310, network, workers)
            wanted = before.enough_workers
            after = rates(310 / max(1, workers) * wanted, network, max(1, wanted))
            assert after.keeps_up


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.thorough)])
def test_measuring_changes_nothing_of_a_training(
    tmp_path: Path, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("trainers.throughput_probe._SECONDS", 0.01)
    folder = image_folder(tmp_path / "images", train=4, val=1)
    written = {"data": "image-folder", "batch_size": 4, "epochs": 2, "warmup_epochs": 1}
    protocol = Protocol.from_dict(written | {"augmentation": {"image_size": 16}})
    config = {"name": "image-folder", "folder": str(folder), "workers": workers}
    chosen = architecture(3, 16, 3)

    def weights(measured: bool) -> list[torch.Tensor]:
        data = open_data(config, protocol)
        found = Training(chosen, data.protocol, data, seeds=SEEDS)
        if measured:
            states = random.getstate(), torch.get_rng_state()
            throughput = measure_throughput(found)
            assert states[0] == random.getstate()
            assert torch.equal(states[1], torch.get_rng_state())
            assert throughput is not None
            assert min(throughput.loader, throughput.network, throughput.cores) > 0
            assert (throughput.workers, throughput.device) == (workers, "cpu")
            assert all(each.grad is None for each in found.model.parameters())
        found.run_epoch()
        return [*found.model.state_dict().values()]

    assert all(map(torch.equal, weights(False), weights(True)))


def test_the_rate_of_the_network_is_that_of_all_steps_behind_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a clock that goes on by an eighth of a second at each look."""
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(throughput_probe, "_SECONDS", 1.0)
    looks = itertools.count()
    monkeypatch.setattr(throughput_probe.time, "perf_counter", lambda: next(looks) / 8)
    data = folder_data_of(image_folder(tmp_path / "images", train=4, val=1))
    training = Training(architecture(3, 16, 3), data.protocol, data, seeds=SEEDS)
    monkeypatch.setattr(folder_data.FolderData, "loading_rate", lambda self, seconds: (1.0, 1))
    found = measure_throughput(training)
    assert found is not None
    assert found.network == 8 * 16 / (9 / 8)  # eight steps of 16 pictures, nine looks


def test_the_rate_is_that_of_the_images_behind_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    folder = image_folder(tmp_path / "images", train=4, val=1)
    protocol = Protocol.from_dict({"data": "image-folder", "augmentation": {"image_size": 16}})
    data = open_data({"name": "image-folder", "folder": str(folder)}, protocol)
    now = 100.0

    def one_image(self: object, item: int) -> tuple[torch.Tensor, int]:
        nonlocal now
        now += 0.0625
        return torch.zeros(3, 16, 16), 0

    monkeypatch.setattr(folder_data.FolderImages, "__getitem__", one_image)
    monkeypatch.setattr(folder_data.time, "perf_counter", lambda: now)
    assert isinstance(data, folder_data.FolderData)
    assert data.loading_rate(1.0) == (16, 20)  # two groups of all 10 training images
    assert now == 100 + 0.0625 * (4 + 20)


def test_the_rate_is_measured_on_pictures_of_all_sizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of 96 take 3 s, the others 10 ms: most random seconds of them say 100 a second."""
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    folder = image_folder(tmp_path / "images", train=32, val=1)
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    for number in range(5):
        Image.fromarray(noise).save(folder / "train" / "green" / f"{number:03}.png")
    data = folder_data_of(folder)
    now, huge = 100.0, list[bool]()

    def one_image(images: folder_data.FolderImages, item: int) -> tuple[torch.Tensor, int]:
        nonlocal now
        huge.append(bool(images.index.sizes[images.positions[item]] > 8000))
        now += 3.0 if huge[-1] else 0.01
        return torch.zeros(3, 16, 16), 0

    monkeypatch.setattr(folder_data.FolderImages, "__getitem__", one_image)
    monkeypatch.setattr(folder_data.time, "perf_counter", lambda: now)
    rate, pictures = data.loading_rate(0.7)
    counted = huge[4:]
    assert (pictures, len(counted)) == (32, 32)
    assert sum(counted) in (1, 2)
    assert rate == pytest.approx(32 / (3 * sum(counted) + 0.01 * (32 - sum(counted))))


def folder_data_of(folder: Path) -> folder_data.FolderData:
    protocol = Protocol.from_dict({"data": "image-folder", "augmentation": {"image_size": 16}})
    data = open_data({"name": "image-folder", "folder": str(folder)}, protocol)
    assert isinstance(data, folder_data.FolderData)
    return data


def test_what_is_huge_is_not_measured_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXSPACE_CACHE", str(tmp_path / "cache"))
    data = folder_data_of(image_folder(tmp_path / "images", train=32, val=1))
    now = 100.0

    def one_image(images: folder_data.FolderImages, item: int) -> tuple[torch.Tensor, int]:
        nonlocal now
        now += 8.0
        return torch.zeros(3, 16, 16), 0

    monkeypatch.setattr(folder_data.FolderImages, "__getitem__", one_image)
    monkeypatch.setattr(folder_data.time, "perf_counter", lambda: now)
    assert data.loading_rate(0.7) == (1 / 8, 4)


@pytest.mark.parametrize(
    ("found", "rate", "seconds", "said"),
    [
        (rates(130, 1200), 10, 90, "trained 10 images/s, where 130 were to be expected"),
        (rates(130, 130, 0), 10, 90, "trained 10 images/s, where 65 were to be expected"),
        (rates(130, 1200), 10, 9, None),  # workers were starting
        (rates(130, 1200), 44, 90, None),
        (rates(1300, 60), 30, 90, None),
    ],
)
def test_an_epoch_that_was_far_slower_is_told(
    found: Throughput, rate: float, seconds: float, said: str | None
) -> None:
    told = found.contradicted(rate, seconds)
    assert told is None if said is None else said in str(told)


def test_the_number_of_measured_pictures_is_told() -> None:
    said = Throughput(310, 1200, 2, 16, "cuda", 224).sentence()
    assert said.startswith("Loader: 310 images/s by 2 workers, measured on 224; the network takes")


def test_of_images_in_memory_nothing_is_measured() -> None:
    assert measure_throughput(training()) is None
