"""What is told of a trained network beside the files: figures, data, costs, how to get it again.

All of it is handed over by who knows it, such as a store; what is None is not known, and the model
card leaves it out or says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from trainers.protocol import Protocol

Split = Literal["validation", "test"]


@dataclass(frozen=True, slots=True)
class Figure:
    """An accuracy of the architecture.

    Attributes:
        split: of which images. training: of what, such as "search in study quickstart".
        accuracy: share classified rightly, 0 to 1; the mean of several trainings.
        trainings: how many, each with seeds of its own. deviation: their standard deviation; None
            for one.
        chance: share of the commonest class of the images, what guessing it scores.
        images: how many were classified.
        these_weights: whether it is the figure of the exported weights, and of no others.
        optimistic: whether its epoch was chosen by the images that it is measured on.
        protocol_hash: figures compare only where it is equal.
    """

    split: Split
    training: str
    accuracy: float
    trainings: int = 1
    deviation: float | None = None
    chance: float | None = None
    images: int | None = None
    these_weights: bool = False
    optimistic: bool = False
    protocol_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Latency:
    """A measured time of a forward pass.

    Attributes:
        device, runtime, precision, batch: on what, by what, in what, and for how many images.
        median: milliseconds. low, high: ends of its interval. runs: how many were timed.
        disturbed: whether the machine was not quiet meanwhile, which slows a network.
    """

    device: str
    runtime: str
    precision: str
    batch: int
    median: float
    low: float
    high: float
    runs: int
    disturbed: bool = False


@dataclass(frozen=True, slots=True)
class Spent:
    """What trainings took.

    Attributes:
        what: in words, such as "search in study quickstart".
        trials: how many were trained. seconds: of training, summed over them.
        device: "GPU" or "CPU core"; share: of a device that one trial had.
        names: of the devices, where they are known.
        kilowatt_hours: measured; None where nobody did.
    """

    what: str
    trials: int
    seconds: float
    device: str
    share: float
    names: tuple[str, ...] = ()
    kilowatt_hours: float | None = None

    @property
    def device_hours(self) -> float:
        """Hours of a whole device."""
        return self.seconds * self.share / 3600


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a model card is made of beside the architecture and the exported files.

    Attributes:
        origin: of the weights in words, such as "trial 3 of study quickstart".
        protocol: of their training, with the hashes of its data.
        protocol_hash: as it is stored; that of an earlier release may differ from what the
            protocol's fields give now.
        epochs: trained. seconds: of training. seeds: by what they are of.
        data: entries of the configuration of the data, without folders of this machine.
        train_images, validation_images: how many; None where it is not known.
        figures: of the architecture. latency: measured ones. spent: on search and retraining.
        data_licence: of the data; None where it is not known.
        commands: that reproduce it, one a line, with remarks behind #.
        code_version: of the program that trained it; exported_by: of the one that exported it.
        remarks: sentences on the data and the training that a reader should know.
        configurations: that the commands name, as the contents of YAML files by their names.
    """

    origin: str
    protocol: Protocol
    protocol_hash: str
    epochs: int
    seconds: float
    seeds: Mapping[str, Any]
    data: Mapping[str, Any]
    train_images: int | None = None
    validation_images: int | None = None
    figures: tuple[Figure, ...] = ()
    latency: tuple[Latency, ...] = ()
    spent: tuple[Spent, ...] = ()
    data_licence: str | None = None
    commands: tuple[str, ...] = ()
    code_version: str | None = None
    exported_by: str | None = None
    remarks: tuple[str, ...] = ()
    configurations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
