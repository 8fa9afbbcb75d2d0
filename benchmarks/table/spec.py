"""What a table is of: the space, the images, the protocol, and the order of its trainings."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.table.plan import EverySeedInTurn, EveryTypeFirst, Plan, Planned
from space import DesignSpace, InputError
from space.input.plain_files import read_yaml
from trainers import DataConfig, Protocol, describe_data

FOLDER = Path(__file__).parent
"""Of the tables that come with the project."""
_SPACES = Path(__file__).parents[2] / "configs" / "spaces"

LONGER, PLAIN = "longer", "plain"
"""Variants: the file of one lies beside the table's, with this at the end of its name."""


@dataclass(frozen=True)
class TableSpec:
    """What the trainings of one table have in common, so that they can be compared.

    Attributes:
        space_file: YAML of the architectures.
        data: the images.
        protocol: how every architecture is trained.
        seeds: study seeds; the first is that of every architecture.
        plan: which trainings there are, and in which order.
        variants: by their name what another protocol changes, under which some of the networks
            are trained too, with the first seed.
        variant: which of them this is; None for the table itself.
        card: the data card beside the table.
    """

    space_file: Path
    data: DataConfig
    protocol: Protocol
    seeds: tuple[int, ...] = (0, 1, 2)
    plan: Plan = field(default_factory=EveryTypeFirst)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    variant: str | None = None
    card: Path = FOLDER / "DATA_CARD.md"

    @property
    def name(self) -> str:
        """That of the space, the table's file and its journal."""
        return self.space_file.stem

    def space(self) -> DesignSpace:
        """The space of the table."""
        return DesignSpace.from_dict(read_yaml(self.space_file))

    def trainings(self) -> list[Planned]:
        """What is wanted, in the order of the plan."""
        space = self.space().enumerate()
        if self.variant is not None:
            return [(architecture, self.seeds[0]) for architecture in self.plan.sample(space)]
        return list(self.plan.trainings(space, self.seeds))

    def as_variant(self, name: str) -> "TableSpec":
        """The same with what a variant changes of the protocol.

        Raises:
            InputError: the table has no such variant.
        """
        if name not in self.variants:
            raise InputError.of("variant", f"the table {self.name} has no {name!r}")
        changed = self.protocol.to_dict() | dict(self.variants[name])
        return replace(self, protocol=Protocol.from_dict(changed), variant=name)

    def bound_protocol(self) -> Protocol:
        """The protocol with the hashes of the images in it.

        Raises:
            InputError: the images are not on this machine.
        """
        return describe_data(self.data, self.protocol).protocol


FASHION_TABLE = TableSpec(
    space_file=_SPACES / "fashion-cells.yaml",
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
    variants={LONGER: {"epochs": 36}},
)
"""Every cell of the algebra: what searchers are replayed on."""

OPERATORS_TABLE = TableSpec(
    space_file=_SPACES / "fashion-operators.yaml",
    data=DataConfig.from_dict({"source": "full", "limit_train": 54_000, "limit_validation": 6000}),
    protocol=Protocol(
        epochs=5,
        samples_per_epoch=13_824,  # 216 batches: five are one and a quarter passes over all images
        batch_size=64,
        learning_rate=2e-2,
        warmup_epochs=1,
        weight_decay=0.05,
        weight_init="lecun",
        ema_decay=0.99,
        augmentation={"flip": 0.5},
        precision="float32",
        seed_policy="shared",  # the same images in the same order for all: pairs differ by less
    ),
    plan=EverySeedInTurn(),
    variants={
        LONGER: {"epochs": 10},
        PLAIN: {
            "minimum_learning_rate": 5e-3,
            "learning_rate": 5e-3,
            "warmup_epochs": 0,
            "weight_decay": 0.0,
            "ema_decay": None,
            "label_smoothing": 0.0,
            "augmentation": {"flip": 0.0},
        },
    },
    card=FOLDER / "DATA_CARD_OPERATORS.md",
)
"""The paper's experiment in small: its operators in one skeleton, in every type of block."""

TABLES = {spec.name: spec for spec in (FASHION_TABLE, OPERATORS_TABLE)}
"""The tables that come with the project, by their names."""
