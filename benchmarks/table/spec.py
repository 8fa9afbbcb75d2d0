"""What a table is of: the space, the images and the protocol."""

from dataclasses import dataclass, replace
from pathlib import Path

from space import DesignSpace
from space.input.plain_files import read_yaml
from trainers import DataConfig, Protocol, describe_data


@dataclass(frozen=True)
class TableSpec:
    """What the trainings of one table have in common, so that they can be compared.

    Attributes:
        space_file: YAML of the architectures.
        data: the images.
        protocol: how every architecture is trained.
        seeds: study seeds; the first is that of every architecture, the others those of the
            repeated ones.
    """

    space_file: Path
    data: DataConfig
    protocol: Protocol
    seeds: tuple[int, ...] = (0, 1, 2)

    def space(self) -> DesignSpace:
        """The space of the table."""
        return DesignSpace.from_dict(read_yaml(self.space_file))

    def longer(self, times: int) -> "TableSpec":
        """The same with trainings so many times as long, of one seed."""
        epochs = times * self.protocol.epochs
        protocol = Protocol.from_dict(self.protocol.to_dict() | {"epochs": epochs})
        return replace(self, protocol=protocol, seeds=self.seeds[:1])

    def bound_protocol(self) -> Protocol:
        """The protocol with the hashes of the images in it.

        Raises:
            InputError: the images are not on this machine.
        """
        return describe_data(self.data, self.protocol).protocol


FASHION_TABLE = TableSpec(
    space_file=Path(__file__).parents[2] / "configs" / "spaces" / "fashion-cells.yaml",
    # Real images; the final test takes all 10,000 test images.
    data=DataConfig.from_dict(
        {"source": "full", "limit_train": 9 * 6144, "limit_validation": 4000}
    ),
    protocol=Protocol(
        epochs=9,  # rungs of successive halving by thirds: 1, 3 and 9
        # One pass over many images, not nine over few: then four times as long is four passes, and
        # not the overfitting of the networks that have the most parameters.
        samples_per_epoch=6144,
        batch_size=64,
        learning_rate=2e-2,
        warmup_epochs=1,
        weight_decay=0.05,
        weight_init="lecun",  # as the quickstart: the networks' own beginnings are for long runs
        ema_decay=0.99,
        augmentation={"flip": 0.5},
        precision="float32",  # the same on a CPU and on a GPU
    ),
)
"""The table that comes with the project."""
