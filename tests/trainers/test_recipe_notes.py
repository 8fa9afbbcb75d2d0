"""What is said of a recipe before the first trial."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from search.config import load_config
from trainers import Protocol, describe_data, notes_on_recipe


def notes(images: int, **written: Any) -> str:
    protocol = Protocol.from_dict(written)
    data = replace(describe_data({}, Protocol()), train_images=images, protocol=protocol)
    return "\n".join(notes_on_recipe(data))


def test_nothing_is_said_of_a_recipe_that_fits_its_data() -> None:
    assert notes(100_000) == ""
    assert notes(1_000_000, batch_size=1024, learning_rate=1e-3, epochs=300) == ""
    assert notes(100_000, batch_size=256, learning_rate=4e-3) == ""


@pytest.mark.parametrize(("images", "said"), [(63, True), (64, False), (65, False)])
def test_a_batch_that_is_larger_than_the_data(images: int, said: bool) -> None:
    sentence = f"batch_size 64 is more than the {images} training images: every step takes all"
    assert (sentence in notes(images)) is said


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (40, "An epoch is 1 step of 40 images, the training 6 steps in all"),
        (127, "An epoch is 1 step of 64 images, the training 6 steps in all"),
        (128, "An epoch is 2 steps of 64 images, the training 12 steps in all"),
        (64 * 6 - 1, "An epoch is 5 steps of 64 images, the training 30 steps in all"),
        (64 * 6, ""),
    ],
)
def test_few_steps_in_an_epoch(images: int, said: str) -> None:
    found = notes(images)
    assert said in found
    assert ("An epoch is" in found) is bool(said)


def test_no_smaller_batch_is_advised_than_there_can_be() -> None:
    assert notes(5, batch_size=2, learning_rate=1e-3).count("smaller protocol.batch_size") == 0
    assert "An epoch is 1 step of 2 images, the training 6 steps in all." in notes(2)
    assert "smaller protocol.batch_size gives more" in notes(4, batch_size=3)


CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
@pytest.mark.parametrize("factor", [0.5, 1, 8])
def test_the_rates_of_the_configurations_go_with_their_batches(path: Path, factor: float) -> None:
    """Nothing is said of one as it is, and it is said of one with another batch."""
    written = load_config(path).protocol.to_dict()
    size = int(written["batch_size"] * factor)
    found = notes(10_000_000, **written | {"batch_size": size})
    assert found.count("protocol.learning_rate") == (factor != 1)
    assert ("it would be" in found) is (factor != 1)


@pytest.mark.parametrize(
    ("warmup", "said"),
    [
        (3.0, ""),
        (4.0, "The warm-up takes 4 of 6 epochs"),
        (5.9, "protocol.learning_rate is only reached in the second half of the training."),
        (6.0, "The warm-up takes 6 of 6 epochs: protocol.learning_rate is never reached."),
        (0.0, ""),
        (0.0001, "protocol.warmup_epochs 0.0001 is less than one step: there is no warm-up"),
    ],
)
def test_a_warm_up_that_is_too_long_or_none(warmup: float, said: str) -> None:
    found = notes(100_000, warmup_epochs=warmup)
    assert said in found
    assert ("warm" in found) is bool(said)


@pytest.mark.parametrize(
    ("written", "linear", "root"),
    [
        ({"batch_size": 256, "learning_rate": 1e-3}, "0.00025", "0.0005"),
        ({"batch_size": 4096, "learning_rate": 1e-3}, "0.004", "0.002"),
        ({"batch_size": 16}, "0.00125", "0.0025"),
    ],
)
def test_the_rate_of_another_batch_size(written: dict[str, Any], linear: str, root: str) -> None:
    found = notes(1_000_000, **written)
    assert f"in proportion (Swin's rule) it would be {linear}, " in found
    assert f"by the square root (timm's rule for Adam) {root}." in found
    assert ("paper's" in found) is (written.get("learning_rate") == 1e-3)


@pytest.mark.parametrize("name", ["quickstart", "own-images"])
def test_a_rate_is_said_with_the_file_that_has_it(name: str) -> None:
    (path,) = (each for each in CONFIGS if each.stem == name)
    written = load_config(path).protocol.to_dict() | {"batch_size": 256}
    assert f"is that of configs/{name}.yaml, for batches of 64" in notes(1_000_000, **written)


def test_images_that_no_epoch_reaches_are_said() -> None:
    assert notes(5000, samples_per_epoch=700, epochs=6).startswith(
        "The training sees 4,200 of the 5,000 training images: "
        "protocol.samples_per_epoch times protocol.epochs."
    )
    assert notes(4200, samples_per_epoch=700, epochs=6) == ""
    few = notes(4200, samples_per_epoch=32, epochs=200)
    assert "batch_size 64 is more than the 32 samples" in few
    assert "An epoch is 1 step of 32 images, the training 200 steps in all" in few
