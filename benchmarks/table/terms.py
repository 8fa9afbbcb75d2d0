"""What the table is of: the space, the images and the protocol."""

from functools import cache
from pathlib import Path

from space import DesignSpace
from space.design.reading import read_yaml
from trainers import DataConfig, Protocol, describe_data

SPACE = Path(__file__).parents[2] / "configs" / "spaces" / "fashion-cells.yaml"
DATA = DataConfig(source="full", limit_train=4096, limit_validation=4000)
"""Real Fashion-MNIST images; the final test takes all 10,000 test images."""

PROTOCOL = Protocol(
    epochs=9,  # rungs of successive halving by thirds: 1, 3 and 9
    batch_size=128,
    learning_rate=1.5e-2,
    warmup_epochs=1,
    weight_decay=0.05,
    augmentation={"flip": 0.5},
    precision="float32",  # the same on a CPU and on a GPU
)
SEEDS = (0, 1, 2)
"""Study seeds; the first is that of every architecture, the others those of the repeated ones."""


@cache
def table_space() -> DesignSpace:
    """The space of the table."""
    return DesignSpace.from_dict(read_yaml(SPACE))


def bound_protocol() -> Protocol:
    """The protocol with the hashes of the images in it.

    Raises:
        InputError: the images are not on this machine.
    """
    return describe_data(DATA, PROTOCOL).protocol
