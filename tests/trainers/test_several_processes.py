"""Two processes that train one trial together come to what one alone comes to."""

import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from space.errors import InputError
from tests.trainers import together
from tests.trainers.proofs import proves
from tests.trainers.tiny import SEEDS, architecture, short_protocol, small_data
from trainers import Training
from trainers.checkpoint import Checkpoint, load_checkpoint
from trainers.data.share import Share
from trainers.processes import Processes

TOLERANCE = 1e-7
"""Of every weight and moment: sums over a batch come in another order."""


@pytest.fixture(scope="module")
def of_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoints of two processes, by what was trained; one was broken off and resumed."""
    folder = tmp_path_factory.mktemp("together")
    paths = {name: name for name in together.CASES} | {"broken": "accumulation"}
    together.train_together(folder, paths)
    return folder


def alone(name: str, folder: Path) -> Checkpoint:
    found = together.training(name, path=folder / "alone")
    while not found.done:
        found.run_epoch()
    return load_checkpoint(folder / "alone")


def distance(one: Checkpoint, other: Checkpoint) -> float:
    assert one.tensors.keys() == other.tensors.keys()
    pairs = [(one.tensors[name], other.tensors[name]) for name in one.tensors]
    return max(float((a.double() - b.double()).abs().max()) for a, b in pairs)


def test_two_processes_that_accumulate_equal_one(tmp_path: Path) -> None:
    together.train_together(tmp_path, {"accumulation": "accumulation"})
    found = load_checkpoint(tmp_path / "accumulation")
    assert distance(alone("accumulation", tmp_path), found) < TOLERANCE


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["layer norm", "accumulation", "batch norm"])
def test_two_processes_equal_one(name: str, of_two: Path, tmp_path: Path) -> None:
    """With drop path, the average of weights, mixing, erasing, repeats; with shared batch norm."""
    expected, found = alone(name, tmp_path), load_checkpoint(of_two / name)
    assert distance(expected, found) < TOLERANCE
    for one, two in zip(expected.state["history"], found.state["history"], strict=True):
        for figure in ("train_loss", "validation_loss"):
            assert math.isclose(one[figure], two[figure], rel_tol=1e-6)
        assert one["validation_accuracy"] == two["validation_accuracy"]
        assert one["learning_rate"] == two["learning_rate"]


@pytest.mark.thorough
@proves("batch_norm_parts")
def test_with_parts_each_process_norms_its_own_share(of_two: Path, tmp_path: Path) -> None:
    """As one that goes through the two shares one after the other, but for running statistics."""
    shared, parts = load_checkpoint(of_two / "batch norm"), load_checkpoint(of_two / "parts")
    assert distance(shared, parts) > 1e-3
    protocol = short_protocol(epochs=2, accumulation=2)
    data = small_data(protocol, limit_train=130, limit_validation=60)
    build = together.build_double
    one = Training(architecture(), protocol, data, seeds=SEEDS, build=build)
    one.run_epoch()
    one.run_epoch()
    for name, weight in one.model.named_parameters():
        assert float((parts.tensors[f"model.{name}"] - weight.detach()).abs().max()) < TOLERANCE


@pytest.mark.thorough
def test_what_two_processes_have_begun_goes_on_exactly(of_two: Path) -> None:
    straight, broken = load_checkpoint(of_two / "accumulation"), load_checkpoint(of_two / "broken")
    assert distance(straight, broken) == 0


@pytest.mark.thorough
def test_one_goes_on_with_what_two_have_begun_and_refuses_what_needs_two(of_two: Path) -> None:
    assert together.training("batch norm", path=of_two / "batch norm").done
    with pytest.raises(InputError, match=r"protocol\.batch_norm_parts: 2 shares .* a trial has 1"):
        together.training("parts", path=of_two / "parts")


@pytest.mark.parametrize(
    ("size", "changes"), [(3, {}), (2, {"accumulation": 4, "batch_size": 36}), (64, {"m": 1})]
)
def test_batches_that_cannot_be_shared_are_refused(size: int, changes: dict[str, int]) -> None:
    mixes = {"augmentation": {"mixup": 0.2}} if changes.pop("m", None) else {}
    protocol = short_protocol(**changes, **mixes)
    chosen = {"seeds": SEEDS, "processes": Processes(0, size)}
    with pytest.raises(InputError, match=r"^protocol\.batch_size: a batch of .* cannot be cut"):
        Training(architecture(), protocol, small_data(protocol), **chosen)


@pytest.mark.parametrize("batch", [64, 48, 36, 6])
@pytest.mark.parametrize(("size", "parts"), [(1, 1), (2, 1), (1, 2), (2, 3), (3, 2), (6, 1)])
def test_shares_are_equal_and_together_the_batch(batch: int, size: int, parts: int) -> None:
    if batch % (size * parts):
        pytest.skip("refused")
    shares = [Share(rank, size).parts(batch, parts) for rank in range(size)]
    assert {len(part) for share in shares for part in share} == {batch // size // parts}
    every = torch.cat([part for share in shares for part in share])
    assert every.sort().values.tolist() == list(range(batch))
    whole = [set(part.tolist()) for part in Share().parts(batch, parts)]
    for number in range(parts):  # which part an image is in does not depend on the processes
        found: set[int] = set().union(*(share[number].tolist() for share in shares))
        assert found == whole[number]
    if batch % (2 * size * parts) == 0:  # pairs that are mixed stay together
        for share in shares:
            for part in share:
                assert _mirrored(part, batch)


def _mirrored(part: Tensor, batch: int) -> bool:
    return torch.equal(batch - 1 - part.flip(0), part)


@pytest.mark.parametrize("size", [2, 4])
def test_the_images_of_all_shares_are_those_of_one_process(size: int) -> None:
    """Cropped, erased, mixed and repeated as in the whole batch, to the last bit."""
    changes = {"augmentation": together.MIXED | {"repeats": 3}}
    data = small_data(short_protocol(**changes))
    whole = list(data.train_batches(2, 7))
    shares = [Share(rank, size) for rank in range(size)]
    of_each = [list(data.train_batches(2, 7, share=share)) for share in shares]
    for step, (images, targets) in enumerate(whole):
        for share, batches in zip(shares, of_each, strict=True):
            held = share.places(len(images))
            assert torch.equal(batches[step][0], images[held])
            assert torch.equal(batches[step][1], targets[held])
    validated = [list(data.validation_batches(share=share)) for share in shares]
    images_of_all = torch.cat([x for batches in validated for x, _ in batches])
    assert len(images_of_all) == data.description.validation_images
